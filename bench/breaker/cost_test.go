package breaker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// BenchmarkAllow measures asking a breaker and telling it of a success. Run it with -cpu 1,2: with two processors two goroutines share a
// breaker, and ns/op is the time of both for one call of either, so that twice that is what each has waited.
func BenchmarkAllow(b *testing.B) {
	for _, c := range contestants() {
		b.Run(c.name, func(b *testing.B) {
			call := c.new(b)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if !call(nil) {
						b.Error("want it let through")
						return
					}
				}
			})
		})
	}
	ashlar := newAshlar(b)
	for _, c := range contestants()[1:] {
		other := c.new(b)
		b.Run("ashlar-to-"+c.name, func(b *testing.B) {
			ratio(b, func() { ashlar(nil) }, func() { other(nil) })
		})
	}
}

// BenchmarkRefused measures calls while all fail.
func BenchmarkRefused(b *testing.B) {
	for _, c := range contestants() {
		b.Run(c.name, func(b *testing.B) {
			call := c.new(b)
			for range 10_000 {
				call(errDown)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				call(errDown)
			}
		})
	}
}

// BenchmarkMiddleware measures a call through the middleware, beside one through gobreaker as it is used by hand.
func BenchmarkMiddleware(b *testing.B) {
	all := handlers(b)
	request := any(new(int))
	for name, h := range all {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := h(ctx, request); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	b.Run("gobreaker-to-plain", func(b *testing.B) {
		ctx := b.Context()
		through := func(h endpoint.Handler) func() {
			return func() {
				if _, err := h(ctx, request); err != nil {
					b.Error(err)
				}
			}
		}
		ratio(b, through(all["ashlar-gobreaker"]), through(all["plain-gobreaker"]))
	})
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, ours, theirs func()) {
	b.Helper()
	const turn = 1000
	var ratios []float64
	for b.Loop() {
		o, t := timed(ours, turn), timed(theirs, turn)
		ratios = append(ratios, float64(o)/float64(t))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(0, "ns/op")
}

func timed(call func(), turn int) time.Duration {
	began := time.Now()
	for range turn {
		call()
	}
	return time.Since(began)
}

// All work: this is no measurement.
func TestSmoke(t *testing.T) {
	t.Parallel()
	for _, c := range contestants() {
		call := c.new(t)
		for range 100 {
			if !call(nil) {
				t.Fatalf("%s: want it let through", c.name)
			}
		}
	}
	for name, h := range handlers(t) {
		if _, err := h(t.Context(), 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
