package chain_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/bench/chain"
)

func BenchmarkChain(b *testing.B) {
	b.Run("pointer", func(b *testing.B) { compare(b, &chain.Value{A: 1, B: 2}) })
	b.Run("value", func(b *testing.B) { compare(b, chain.Value{A: 1, B: 2}) })
}

func compare[T comparable](b *testing.B, request T) {
	ashlar, gokit := chain.Ashlar(chain.Echo[T]), chain.GoKit(chain.Echo[T])
	b.Run("ashlar", func(b *testing.B) { loop(b, ashlar, request) })
	b.Run("gokit", func(b *testing.B) { loop(b, gokit, request) })
	b.Run("ratio", func(b *testing.B) { ratio(b, ashlar, gokit, request) })
}

func loop[T comparable](b *testing.B, call chain.Call[T], request T) {
	b.ReportAllocs()
	for b.Loop() {
		if have, err := call(b.Context(), request); err != nil || have != request {
			b.Fatalf("want %v, have %v and %v", request, have, err)
		}
	}
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio[T comparable](b *testing.B, ashlar, gokit chain.Call[T], request T) {
	const turn = 20_000
	var ratios []float64
	for b.Loop() {
		a := timed(b.Context(), ashlar, request, turn)
		g := timed(b.Context(), gokit, request, turn)
		ratios = append(ratios, float64(a)/float64(g))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ashlar/gokit")
	b.ReportMetric(0, "ns/op")
}

func timed[T comparable](ctx context.Context, call chain.Call[T], request T, count int) time.Duration {
	began := time.Now()
	for range count {
		if have, err := call(ctx, request); err != nil || have != request {
			panic("the chain changed the request")
		}
	}
	return time.Since(began)
}

func TestBothChainsAnswer(t *testing.T) {
	t.Parallel()
	want := chain.Value{A: 1, B: 2}
	for name, call := range map[string]chain.Call[chain.Value]{
		"ashlar": chain.Ashlar(chain.Echo[chain.Value]),
		"gokit":  chain.GoKit(chain.Echo[chain.Value]),
	} {
		if have, err := call(t.Context(), want); err != nil || have != want {
			t.Errorf("%s: want %v, have %v and %v", name, want, have, err)
		}
	}
}
