package circuitbreaker_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/endpoint"
)

// BenchmarkAdaptive measures Allow and done. Run it with -cpu 1,2: two goroutines share the breaker then, and ns/op is what both take for
// one call of either.
func BenchmarkAdaptive(b *testing.B) {
	for name, outcome := range map[string]error{"succeeds": nil, "fails": errDown} {
		b.Run(name, func(b *testing.B) {
			a := adaptive(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if done, err := a.Allow(); err == nil {
						done(outcome)
					}
				}
			})
		})
	}
}

// BenchmarkMiddleware measures calls of an endpoint that does nothing.
func BenchmarkMiddleware(b *testing.B) {
	request := any(new(int))
	for name, test := range map[string]struct {
		mw  endpoint.Middleware
		err error
	}{
		"succeeds": {newBreakers(b, circuitbreaker.Adaptive()).Middleware, nil},
		"refused":  {newBreakers(b, circuitbreaker.Adaptive()).Middleware, errFails},
		"keyed":    {newBreakers(b, circuitbreaker.Adaptive(), circuitbreaker.Key(tenantOf)).Middleware, nil},
	} {
		b.Run(name, func(b *testing.B) {
			h, ctx := handler(readSpec.Client(), test.mw, test.err), of(b.Context(), "someone")
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = h(ctx, request)
				}
			})
		})
	}
}
