package loadshed_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
)

func newShedder(t testing.TB, opts ...loadshed.Option) *loadshed.Shedder {
	t.Helper()
	s, err := loadshed.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkAcquire(b *testing.B) {
	ctx := b.Context()
	b.Run("one", func(b *testing.B) {
		s := newShedder(b)
		b.ReportAllocs()
		for b.Loop() {
			done, err := s.Acquire(ctx)
			if err != nil {
				b.Fatal(err)
			}
			done(nil)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		s := newShedder(b)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if done, err := s.Acquire(ctx); err == nil {
					done(nil)
				}
			}
		})
	})
}

func BenchmarkMiddleware(b *testing.B) {
	ctx := b.Context()
	next := func(context.Context, any) (any, error) { return "stone", nil }
	for name, h := range map[string]endpoint.Handler{
		"none":    next,
		"shedder": newShedder(b).Middleware(endpoint.Spec{Method: "Cut"}, next),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h(ctx, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRefusal(b *testing.B) {
	s := newShedder(b, loadshed.FixedLimit(1), loadshed.QueueRoom(0))
	if _, err := s.Acquire(b.Context()); err != nil {
		b.Fatal(err)
	}
	h := s.Middleware(endpoint.Spec{Method: "Cut"}, func(context.Context, any) (any, error) { return "stone", nil })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h(b.Context(), nil); err == nil {
			b.Fatal("want a refusal")
		}
	}
}

func newRandom() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
