package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// replayed is a request that can be served again and again.
type replayed struct {
	request *http.Request
	body    *bytes.Reader
	data    []byte
	header  http.Header
}

func newReplayed(document string) *replayed {
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, "/rpc", http.NoBody)
	r.Header["Content-Type"] = []string{"application/json"}
	r.ContentLength = int64(len(document))
	body := bytes.NewReader(nil)
	r.Body = io.NopCloser(body)
	return &replayed{r, body, []byte(document), make(http.Header, 4)}
}

func (r *replayed) serve(h http.Handler) {
	r.body.Reset(r.data)
	clear(r.header)
	h.ServeHTTP(r, r.request)
}

func (r *replayed) Header() http.Header         { return r.header }
func (r *replayed) WriteHeader(int)             {}
func (r *replayed) Write(p []byte) (int, error) { return len(p), nil }

func minus(_ context.Context, r *difference) (*difference, error) {
	return &difference{r.Minuend - r.Subtrahend, 0}, nil
}

// byHand is what a person writes with net/http and encoding/json for one method.
func byHand(e endpoint.Endpoint[*difference, *difference]) http.Handler {
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
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Version string          `json:"jsonrpc"`
			Method  string          `json:"method"`
			Params  json.RawMessage `json:"params"`
			ID      json.RawMessage `json:"id"`
		}
		reply := answer{Version: "2.0"}
		var request difference
		switch err := json.NewDecoder(r.Body).Decode(&call); {
		case err != nil:
			reply.Error = &failure{-32700, err.Error()}
		case call.Method != "minus":
			reply.Error = &failure{-32601, "Method not found"}
		default:
			reply.ID = call.ID
			if err := json.Unmarshal(call.Params, &request); err != nil {
				reply.Error = &failure{-32602, err.Error()}
				break
			}
			result, err := e(r.Context(), &request)
			if err != nil {
				reply.Error = &failure{-32603, err.Error()}
				break
			}
			reply.Result = result
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	})
}

const (
	small      = `{"jsonrpc":"2.0","method":"minus","params":{"minuend":42,"subtrahend":23},"id":1}`
	positional = `{"jsonrpc":"2.0","method":"minus","params":[42,23],"id":1}`
	note       = `{"jsonrpc":"2.0","method":"minus","params":{"minuend":42,"subtrahend":23}}`
)

func batchOf(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(small+",", n), ",") + "]" }

func minusHandler() http.Handler {
	return jsonrpc.NewHandler([]*jsonrpc.Server{jsonrpc.NewServer(named("minus"), minus)})
}

// sameAnswer is a transport that always answers the same, with the id of the request.
type sameAnswer struct{ header http.Header }

func (c *sameAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body [256]byte
	n, _ := io.ReadFull(r.Body, body[:])
	id := body[bytes.LastIndexByte(body[:n], ':')+1 : n-1]
	data := fmt.Appendf(nil, `{"jsonrpc":"2.0","result":{"minuend":19,"subtrahend":0},"id":%s}`, id)
	return &http.Response{
		StatusCode: http.StatusOK, Header: c.header, ContentLength: int64(len(data)), Body: io.NopCloser(bytes.NewReader(data)), Request: r,
	}, nil
}

func minusClient(t testing.TB) endpoint.Endpoint[*difference, *difference] {
	t.Helper()
	client := &http.Client{Transport: &sameAnswer{http.Header{"Content-Type": {"application/json"}}}}
	return newClient[*difference, *difference](t, dial(t, "http://h", httptransport.DialClient(client)), "minus")
}

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h, c := minusHandler(), minusClient(t)
	one, byPosition, silent, many := newReplayed(small), newReplayed(positional), newReplayed(note), newReplayed(batchOf(10))
	for _, tt := range []struct {
		name string
		most float64
		call func()
	}{
		{"a call", 15, func() { one.serve(h) }},
		{"a call by position", 18, func() { byPosition.serve(h) }},
		{"a notification", 13, func() { silent.serve(h) }},
		{"a batch of ten", 99, func() { many.serve(h) }},
		{"the client", 32, func() { _, _ = c(t.Context(), &difference{42, 23}) }},
	} {
		if have := testing.AllocsPerRun(200, tt.call); have > tt.most {
			t.Errorf("%s: want at most %v allocations, have %v", tt.name, tt.most, have)
		} else {
			t.Logf("%s: %v allocations", tt.name, have)
		}
	}
}

func BenchmarkServer(b *testing.B) {
	for _, bb := range []struct {
		name, document string
		h              http.Handler
	}{
		{"call/ashlar", small, minusHandler()},
		{"call/by hand", small, byHand(minus)},
		{"by position/ashlar", positional, minusHandler()},
		{"batch of 10/ashlar", batchOf(10), minusHandler()},
		{"batch of 100/ashlar", batchOf(100), minusHandler()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := newReplayed(bb.document)
			b.ReportAllocs()
			for b.Loop() {
				r.serve(bb.h)
			}
		})
	}
}

func BenchmarkClient(b *testing.B) {
	c, request := minusClient(b), &difference{42, 23}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c(context.Background(), request); err != nil {
			b.Fatal(err)
		}
	}
}
