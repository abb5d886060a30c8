package deadline_test

import (
	"context"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
)

func nothing(_ context.Context, request any) (any, error) { return request, nil }

// guards are guards around an endpoint that does nothing: what remains is their cost.
func guards(tb testing.TB) (call endpoint.Handler, g *deadline.Guard) {
	tb.Helper()
	g, err := deadline.NewGuard()
	if err != nil {
		tb.Fatal(err)
	}
	return g.Middleware(spec, nothing), g
}

func BenchmarkGuard(b *testing.B) {
	long, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	past, done := context.WithDeadline(b.Context(), time.Now().Add(-time.Hour))
	defer done()
	plain := endpoint.Handler(nothing)
	guarded, _ := guards(b)
	for _, row := range []struct {
		name string
		call endpoint.Handler
		ctx  context.Context
	}{
		{"nothing", plain, long}, {"passes", guarded, long}, {"without a deadline", guarded, b.Context()}, {"refused", guarded, past},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = row.call(row.ctx, nil)
			}
		})
		b.Run(row.name+", from all processors", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = row.call(row.ctx, nil)
				}
			})
		})
	}
	b.Run("reading the clock twice", func(b *testing.B) {
		start := time.Now()
		var sum time.Duration
		for b.Loop() {
			sum += time.Since(start)
			sum -= time.Since(start)
		}
		_ = sum
	})
}

func BenchmarkAllowance(b *testing.B) {
	a, err := deadline.NewAllowance(time.Millisecond)
	if err != nil {
		b.Fatal(err)
	}
	call := a.Middleware(spec, nothing)
	for name, left := range map[string]time.Duration{"passes": time.Hour, "refused": 0} {
		b.Run(name, func(b *testing.B) {
			ctx, cancel := context.WithTimeout(b.Context(), left)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				_, _ = call(ctx, nil)
			}
		})
	}
}
