package sonybreaker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
)

//go:noinline
func echo(_ context.Context, request any) (any, error) { return request, nil }

// plain is how gobreaker is used by hand.
func plain() endpoint.Handler {
	b := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{})
	return func(ctx context.Context, request any) (any, error) {
		return b.Execute(func() (any, error) { return echo(ctx, request) })
	}
}

func decorated(b *testing.B) endpoint.Handler {
	b.Helper()
	breakers, err := circuitbreaker.New(sonybreaker.New(gobreaker.Settings{}))
	if err != nil {
		b.Fatal(err)
	}
	return breakers.Middleware(endpoint.Spec{Service: "quarry", Method: "Read", Kind: endpoint.Unary}, echo)
}

// BenchmarkCall measures a call through the middleware beside one through plain gobreaker. Run it with -cpu 1,2.
func BenchmarkCall(b *testing.B) {
	for name, handler := range map[string]endpoint.Handler{"plain": plain(), "ashlar": decorated(b)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				request := any(new(int))
				for pb.Next() {
					if _, err := handler(b.Context(), request); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	b.Run("ratio", func(b *testing.B) { ratio(b, decorated(b), plain()) })
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, ashlar, plain endpoint.Handler) {
	b.Helper()
	const turn = 2000
	var ratios []float64
	for b.Loop() {
		a, p := timed(b, ashlar, turn), timed(b, plain, turn)
		ratios = append(ratios, float64(a)/float64(p))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ashlar/plain")
	b.ReportMetric(0, "ns/op")
}

func timed(b *testing.B, handler endpoint.Handler, turn int) time.Duration {
	b.Helper()
	ctx, request := b.Context(), any(new(int))
	began := time.Now()
	for range turn {
		if _, err := handler(ctx, request); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
