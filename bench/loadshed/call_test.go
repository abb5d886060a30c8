// Package loadshed_test measures what it costs to let a call in and to see it end, by the adaptive limiters and shedders of Ashlar (its
// Shedder with its defaults, by Acquire and as middleware), of go-zero (core/load), of Kratos (aegis ratelimit/bbr) and of failsafe-go
// (adaptivelimiter). Calls take no time and are let in; and what it costs to refuse one, over HTTP without a network.
package loadshed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/go-kratos/aegis/ratelimit"
	"github.com/go-kratos/aegis/ratelimit/bbr"
	"github.com/zeromicro/go-zero/core/load"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
)

// call is let in and ends well.
type call func(ctx context.Context) error

func contestants(t testing.TB) map[string]call {
	t.Helper()
	shedder := newShedder(t)
	handler := newShedder(t).Middleware(endpoint.Spec{Service: "bench", Method: "Sum"}, func(context.Context, any) (any, error) {
		return nil, nil //nolint:nilnil // it does nothing
	})
	load.DisableLog()
	zero, kratos, failsafe := load.NewAdaptiveShedder(), bbr.NewLimiter(), adaptivelimiter.NewWithDefaults[any]()
	return map[string]call{
		"ashlar": func(ctx context.Context) error {
			done, err := shedder.Acquire(ctx)
			if err == nil {
				done(nil)
			}
			return err
		},
		"ashlar-middleware": func(ctx context.Context) error {
			_, err := handler(ctx, nil)
			return err
		},
		"gozero": func(context.Context) error {
			promise, err := zero.Allow()
			if err == nil {
				promise.Pass()
			}
			return err
		},
		"kratos": func(context.Context) error {
			done, err := kratos.Allow()
			if err == nil {
				done(ratelimit.DoneInfo{})
			}
			return err
		},
		"failsafe": func(ctx context.Context) error {
			permit, err := failsafe.AcquirePermit(ctx)
			if err == nil {
				permit.Record()
			}
			return err
		},
	}
}

func newShedder(t testing.TB, opts ...loadshed.Option) *loadshed.Shedder {
	t.Helper()
	s, err := loadshed.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkCall(b *testing.B) {
	all := contestants(b)
	for name, c := range all {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = c(b.Context())
				}
			})
		})
	}
	for _, name := range []string{"gozero", "kratos", "failsafe"} {
		b.Run(name+"-ratio", func(b *testing.B) { ratio(b, name+"/ashlar", all[name], all["ashlar"]) })
	}
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, unit string, one, other call) {
	b.Helper()
	const turn = 1000
	took := func(c call) float64 {
		began := time.Now()
		for range turn {
			_ = c(b.Context())
		}
		return float64(time.Since(began))
	}
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, took(one)/took(other))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], unit)
	b.ReportMetric(0, "ns/op")
}

// All work: this is no measurement.
func TestSmoke(t *testing.T) {
	t.Parallel()
	for name, c := range contestants(t) {
		for range 100 {
			if err := c(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	newCall(t, server(t, 1), 200)()
	newCall(t, server(t, 0), 503)()
}
