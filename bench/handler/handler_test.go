// Package handler_test compares the handlers of the servers without a network: what is left of a call when net/http's own part and
// the system's are taken away. Allocations and times include those of the request's copy.
package handler_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/bench/internal/server/ashlar"
	"github.com/ashlar-go/ashlar/bench/internal/server/gokit"
	"github.com/ashlar-go/ashlar/bench/internal/server/plain"
)

type contestant struct {
	name    string
	handler http.Handler
}

func contestants() []contestant {
	return []contestant{{"plain", plain.Handler()}, {"gokit", gokit.Handler()}, {"ashlar", ashlar.Handler()}}
}

func BenchmarkHandler(b *testing.B) {
	for _, body := range model.Bodies() {
		for _, c := range contestants() {
			b.Run(body.Name+"/"+c.name, func(b *testing.B) {
				call := newCall(b, c.handler, body)
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
		for _, c := range contestants()[1:] {
			b.Run(body.Name+"/"+c.name+"-ratio", func(b *testing.B) {
				ratio(b, newCall(b, c.handler, body), newCall(b, plain.Handler(), body), 64<<10/len(body.Request)/4+1)
			})
		}
	}
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, call, baseline func(), turn int) {
	timed := func(f func()) float64 {
		began := time.Now()
		for range turn {
			f()
		}
		return float64(time.Since(began))
	}
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, timed(call)/timed(baseline))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-plain")
	b.ReportMetric(0, "ns/op")
}

// newCall returns a call of h with the body, which has answered right once.
func newCall(b *testing.B, h http.Handler, body model.Body) func() {
	reader := bytes.NewReader(body.Request)
	r := httptest.NewRequest(http.MethodPost, body.Path, io.NopCloser(reader))
	r.ContentLength = int64(len(body.Request))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.Clone(b.Context()))
	if err := body.Check(w.Body.Bytes()); err != nil {
		b.Fatal(err)
	}
	out := &discard{header: http.Header{}}
	return func() {
		reader.Reset(body.Request)
		clear(out.header)
		copied := *r // ServeMux writes the pattern into it
		h.ServeHTTP(out, &copied)
	}
}

// discard is an http.ResponseWriter that forgets.
type discard struct{ header http.Header }

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(int)             {}
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
