// Package jsonrpc_test compares JSON-RPC servers without a network, and lets ours talk to a client and a server of somebody else.
package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	gokit "github.com/go-kit/kit/transport/http/jsonrpc"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

type difference struct {
	Minuend    int `json:"minuend"`
	Subtrahend int `json:"subtrahend"`
}

func subtract(_ context.Context, d *difference) (int, error) { return d.Minuend - d.Subtrahend, nil }

// plain is what a person writes with net/http and encoding/json for one method.
func plain() http.Handler {
	type failure struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	type answer struct {
		Version string          `json:"jsonrpc"`
		Result  any             `json:"result,omitempty"`
		Error   *failure        `json:"error,omitempty"`
		ID      json.RawMessage `json:"id"`
	}
	serve := func(r *http.Request) answer {
		var call struct {
			Version string          `json:"jsonrpc"`
			Method  string          `json:"method"`
			Params  json.RawMessage `json:"params"`
			ID      json.RawMessage `json:"id"`
		}
		var request difference
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			return answer{Version: "2.0", Error: &failure{-32700, err.Error()}}
		}
		if call.Method != "subtract" {
			return answer{Version: "2.0", Error: &failure{-32601, "Method not found"}, ID: call.ID}
		}
		if err := json.Unmarshal(call.Params, &request); err != nil {
			return answer{Version: "2.0", Error: &failure{-32602, err.Error()}, ID: call.ID}
		}
		result, err := subtract(r.Context(), &request)
		if err != nil {
			return answer{Version: "2.0", Error: &failure{-32603, err.Error()}, ID: call.ID}
		}
		return answer{Version: "2.0", Result: result, ID: call.ID}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(serve(r))
	})
}

// kit is Go kit's server, as its documentation sets it up.
func kit() http.Handler {
	return gokit.NewServer(gokit.EndpointCodecMap{"subtract": gokit.EndpointCodec{
		Endpoint: func(ctx context.Context, request any) (any, error) {
			d, ok := request.(*difference)
			if !ok {
				return nil, errors.New("not a difference")
			}
			return subtract(ctx, d)
		},
		Decode: func(_ context.Context, params json.RawMessage) (any, error) {
			d := new(difference)
			return d, json.Unmarshal(params, d)
		},
		Encode: func(_ context.Context, result any) (json.RawMessage, error) { return json.Marshal(result) },
	}})
}

func ashlar() http.Handler {
	return jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(endpoint.Spec{Method: "subtract"}, subtract)})
}

const document = `{"jsonrpc":"2.0","method":"subtract","params":{"minuend":42,"subtrahend":23},"id":1}`

func BenchmarkHandler(b *testing.B) {
	for _, contestant := range []struct {
		name string
		h    http.Handler
	}{{"plain", plain()}, {"gokit", kit()}, {"ashlar", ashlar()}} {
		b.Run(contestant.name, func(b *testing.B) {
			reader := bytes.NewReader([]byte(document))
			r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(reader))
			r.ContentLength = int64(len(document))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			contestant.h.ServeHTTP(w, r)
			var answer struct{ Result int }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Result != 19 {
				b.Fatalf("have %s, %v", w.Body, err)
			}
			out := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset([]byte(document))
				clear(out.header)
				contestant.h.ServeHTTP(out, r)
			}
		})
	}
}

// discard is an http.ResponseWriter that forgets.
type discard struct{ header http.Header }

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(int)             {}
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
