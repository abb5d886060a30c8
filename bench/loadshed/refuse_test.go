package loadshed_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// server serves the small request of the other measurements behind a Shedder with room for calls, 0 for none at all.
func server(b testing.TB, calls int) http.Handler {
	b.Helper()
	shedder, err := loadshed.New(loadshed.FixedLimit(max(calls, 1)), loadshed.QueueRoom(0))
	if err != nil {
		b.Fatal(err)
	}
	if calls == 0 {
		if _, err := shedder.Acquire(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	sum := func(_ context.Context, r model.SumRequest) (model.SumResponse, error) { return model.Sum(r), nil }
	return httptransport.NewServer(endpoint.Spec{Service: "bench", Method: "Sum"}, sum, httptransport.ServerMiddleware(shedder.Middleware))
}

// BenchmarkHTTP compares ServeHTTP of the small JSON request with that of one that is refused.
func BenchmarkHTTP(b *testing.B) {
	served, refused := newCall(b, server(b, 1), http.StatusOK), newCall(b, server(b, 0), http.StatusServiceUnavailable)
	for name, call := range map[string]func(){"served": served, "refused": refused} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		var ratios []float64
		for b.Loop() {
			ratios = append(ratios, timed(refused)/timed(served))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "refused/served")
		b.ReportMetric(0, "ns/op")
	})
}

func timed(f func()) float64 {
	const turn = 1000
	began := time.Now()
	for range turn {
		f()
	}
	return float64(time.Since(began)) / turn
}

// newCall returns a call of h, which has answered with that status once.
func newCall(b testing.TB, h http.Handler, want int) func() {
	b.Helper()
	body := model.Bodies()[0]
	reader := bytes.NewReader(body.Request)
	r := httptest.NewRequest(http.MethodPost, body.Path, io.NopCloser(reader))
	r.ContentLength = int64(len(body.Request))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Ashlar-Not-Begun", "understood")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.Clone(b.Context()))
	if have := w.Code; want != have {
		b.Fatalf("want %d, have %d: %s", want, have, w.Body)
	}
	out := &discard{header: http.Header{}}
	return func() {
		reader.Reset(body.Request)
		clear(out.header)
		copied := *r
		h.ServeHTTP(out, &copied)
	}
}

// discard is an http.ResponseWriter that forgets.
type discard struct{ header http.Header }

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(int)             {}
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
