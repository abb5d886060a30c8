package log_test

import (
	"context"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

type request struct{ N int }

func echoRequest(_ context.Context, r *request) (*request, error) { return r, nil }

// costs are the ways to call an endpoint whose line is not written, with the allocations that each may make.
func costs() map[string]struct {
	call   endpoint.Endpoint[*request, *request]
	budget float64
} {
	nothing := log.New(discard{}, log.MinLevel(log.LevelError+1))
	errorsOnly := log.Redact(log.With(log.New(discard{}, log.MinLevel(log.LevelError)), "service", "orders"))
	all := log.New(discard{})
	debug := log.CodeLevel(log.LevelDebug, status.OK)
	mw := func(spec endpoint.Spec, logger log.Logger, opts ...log.Option) endpoint.Endpoint[*request, *request] {
		return endpoint.New(spec, echoRequest, log.Middleware(logger, opts...))
	}
	return map[string]struct {
		call   endpoint.Endpoint[*request, *request]
		budget float64
	}{
		"server, all off":     {mw(place, nothing), 0},
		"client, all off":     {mw(place.Client(), nothing), 0},
		"server, errors only": {mw(place, errorsOnly), 0},
		"server, slow":        {mw(place, errorsOnly, log.Slow(time.Hour)), 0},
		"server, debug":       {mw(place, all, debug), 0},
		"client, errors only": {mw(place.Client(), errorsOnly), 1},
		"server, sampled":     {mw(place, all, log.SampleEvery(1<<30)), 0},
	}
}

func TestCallThatIsNotLoggedAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "http"})
	r := &request{}
	for name, test := range costs() {
		if _, err := test.call(ctx, r); err != nil { // the first is sampled
			t.Fatal(err)
		}
		have := testing.AllocsPerRun(100, func() { _, _ = test.call(ctx, r) })
		if have > test.budget {
			t.Errorf("%s: want at most %v allocations, have %v", name, test.budget, have)
		}
	}
}

func BenchmarkMiddleware(b *testing.B) {
	ctx, _ := transport.NewServerContext(b.Context(), transport.Info{Transport: "http"})
	r := &request{}
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		call := endpoint.New(place, echoRequest, func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler { return next })
		for b.Loop() {
			_, _ = call(ctx, r)
		}
	})
	for name, test := range costs() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = test.call(ctx, r)
			}
		})
	}
	b.Run("written", func(b *testing.B) {
		b.ReportAllocs()
		call := endpoint.New(place, echoRequest, log.Middleware(log.New(discard{})))
		for b.Loop() {
			_, _ = call(ctx, r)
		}
	})
}
