package httptransport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// replayed is a request that can be served again and again.
type replayed struct {
	request *http.Request
	body    *bytes.Reader
	data    []byte
}

func newReplayed(data []byte) *replayed {
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, "/x", http.NoBody)
	r.Header["Content-Type"] = []string{"application/json"}
	r.ContentLength = int64(len(data))
	body := bytes.NewReader(data)
	r.Body = io.NopCloser(body)
	return &replayed{r, body, data}
}

// serve serves the request once more.
func (r *replayed) serve(h http.Handler, w *sink) {
	r.body.Reset(r.data)
	clear(w.header)
	h.ServeHTTP(w, r.request)
}

// order is a document of the size that services exchange.
type order struct {
	ID    string `json:"id"`
	Items []item `json:"items"`
}

type item struct {
	SKU   string  `json:"sku"`
	Count int     `json:"count"`
	Price float64 `json:"price"`
	Note  string  `json:"note"`
}

// largeOrder is 64 KiB of JSON.
func largeOrder() (o *order, data []byte) {
	o = &order{ID: "7"}
	for size := 0; size < 64<<10; size += 128 {
		o.Items = append(o.Items, item{"sku-0123456789", size, 12.5, strings.Repeat("n", 64)})
	}
	data, _ = json.Marshal(o)
	return o, data
}

// byHand is what a person writes with net/http and encoding/json.
func byHand[Req, Resp any](e endpoint.Endpoint[*Req, *Resp]) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request Req
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response, err := e(r.Context(), &request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(response)
	})
}

// callByHand is what a person writes with http.Client and encoding/json.
func callByHand[Req, Resp any](client *http.Client, url string) endpoint.Endpoint[*Req, *Resp] {
	return func(ctx context.Context, request *Req) (*Resp, error) {
		data, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		response, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		resp := new(Resp)
		return resp, json.NewDecoder(response.Body).Decode(resp)
	}
}

// alwaysSame is a transport that always answers the same.
type alwaysSame struct {
	header http.Header
	data   []byte
}

func (c *alwaysSame) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: c.header, ContentLength: int64(len(c.data)), Body: io.NopCloser(bytes.NewReader(c.data)), Request: r,
	}, nil
}

func newAlwaysSame(data string) *http.Client {
	return &http.Client{Transport: &alwaysSame{http.Header{"Content-Type": {"application/json"}}, []byte(data)}}
}

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w, small := newSink(), newReplayed([]byte(`{"a":1,"b":2}`))
	server := httptransport.NewServer(testSpec, add)
	client := newAlwaysSame(`{"sum":3}`)
	c := newClient[*pair, *total](t, dial(t, "http://h", httptransport.DialClient(client)), "POST /x")
	for _, tt := range []struct {
		name string
		most float64
		call func()
	}{
		{"server", 4, func() { small.serve(server, w) }},
		{"client", 21, func() { _, _ = c(t.Context(), &pair{1, 2}) }},
	} {
		if have := testing.AllocsPerRun(200, tt.call); have > tt.most {
			t.Errorf("%s: want at most %v allocations, have %v", tt.name, tt.most, have)
		} else {
			t.Logf("%s: %v allocations", tt.name, have)
		}
	}
}

func BenchmarkServer(b *testing.B) {
	_, large := largeOrder()
	for _, bb := range []struct {
		name string
		data []byte
		h    http.Handler
	}{
		{"small/ashlar", []byte(`{"a":1,"b":2}`), httptransport.NewServer(testSpec, add)},
		{"small/by hand", []byte(`{"a":1,"b":2}`), byHand(add)},
		{"64KiB/ashlar", large, httptransport.NewServer(testSpec, echo[*order])},
		{"64KiB/by hand", large, byHand(echo[*order])},
	} {
		b.Run(bb.name, func(b *testing.B) {
			w, r := newSink(), newReplayed(bb.data)
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.data)))
			for b.Loop() {
				r.serve(bb.h, w)
			}
		})
	}
}

func BenchmarkClient(b *testing.B) {
	document, large := largeOrder()
	small, big := newAlwaysSame(`{"sum":3}`), newAlwaysSame(string(large))
	ctx := context.Background()
	ashlar := newClient[*pair, *total](b, dial(b, "http://h", httptransport.DialClient(small)), "POST /x")
	ashlarBig := newClient[*order, *order](b, dial(b, "http://h", httptransport.DialClient(big)), "POST /x")
	hand, handBig := callByHand[pair, total](small, "http://h/x"), callByHand[order, order](big, "http://h/x")
	for _, bb := range []struct {
		name string
		call func() error
	}{
		{"small/ashlar", func() error { _, err := ashlar(ctx, &pair{1, 2}); return err }},
		{"small/by hand", func() error { _, err := hand(ctx, &pair{1, 2}); return err }},
		{"64KiB/ashlar", func() error { _, err := ashlarBig(ctx, document); return err }},
		{"64KiB/by hand", func() error { _, err := handBig(ctx, document); return err }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bb.call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
