package ratelimit_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/transport"
)

func nothing(context.Context, any) (any, error) { return nil, nil } //nolint:nilnil // an endpoint that does nothing

var spec = endpoint.Spec{Service: "quarry", Method: "Cut"}

// never is a rate that no benchmark uses up.
func never() *rate.Limiter { return rate.NewLimiter(1e9, 1<<30) }

// BenchmarkToken compares what a Gate costs with the limiter that it asks: "limiter" is that limiter, and a call of the endpoint.
func BenchmarkToken(b *testing.B) {
	ctx := context.Background()
	call := func(b *testing.B, h endpoint.Handler) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h(ctx, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("limiter", func(b *testing.B) {
		limiter := never()
		call(b, func(ctx context.Context, request any) (any, error) {
			if !limiter.Allow() {
				return nil, context.Canceled
			}
			return nothing(ctx, request)
		})
	})
	b.Run("erroring", func(b *testing.B) {
		g := must(ratelimit.Erroring(never()))
		call(b, g.Middleware(spec, nothing))
	})
	b.Run("delaying", func(b *testing.B) {
		g := must(ratelimit.Delaying(never()))
		call(b, g.Middleware(spec, nothing))
	})
	b.Run("gate without fields", func(b *testing.B) {
		g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerSecond(1e9))), ratelimit.NoFields()))
		call(b, g.Middleware(spec, nothing))
	})
	b.Run("gate with fields", func(b *testing.B) {
		g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerSecond(1e9)))))
		h := g.Middleware(spec, nothing)
		inner, info := transport.NewServerContext(ctx, transport.Info{Operation: spec.Operation()})
		b.ReportAllocs()
		for b.Loop() {
			info.Response = transport.HeaderMap{}
			if _, err := h(inner, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkErroringRatio reports the median, over short turns of both, of what a Gate costs over the limiter that it asks.
func BenchmarkErroringRatio(b *testing.B) {
	const turn = 5000
	limiter := never()
	plain := func(ctx context.Context, request any) (any, error) {
		if !limiter.Allow() {
			return nil, context.Canceled
		}
		return nothing(ctx, request)
	}
	gate := must(ratelimit.Erroring(never())).Middleware(spec, nothing)
	timed := func(h endpoint.Handler) time.Duration {
		began := time.Now()
		for range turn {
			if _, err := h(b.Context(), nil); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
	var ratios []float64
	for b.Loop() {
		p := timed(plain)
		ratios = append(ratios, float64(timed(gate))/float64(p))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "gate/limiter")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAtOnce takes from several goroutines: for one key, and each for many.
func BenchmarkAtOnce(b *testing.B) {
	for name, keys := range map[string]int{"one key": 1, "ten thousand keys": 10_000} {
		b.Run(name, func(b *testing.B) {
			l := must(ratelimit.New(ratelimit.PerSecond(1e9)))
			names := make([]string, keys)
			for i := range names {
				names[i] = "key " + strconv.Itoa(i)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(keys); pb.Next(); i++ {
					if d, err := l.Take(context.Background(), names[i%keys], 1); err != nil || !d.Allowed {
						b.Error(d, err)
					}
				}
			})
		})
	}
}

// BenchmarkRefusal is what it costs to turn a call away.
func BenchmarkRefusal(b *testing.B) {
	none := ratelimit.Limit{Events: 1, Period: ratelimit.MaxFill}
	local := must(ratelimit.New(none))
	if d, err := local.Take(b.Context(), "", 1); !d.Allowed || err != nil {
		b.Fatal(d, err)
	}
	for name, g := range map[string]*ratelimit.Gate{
		"erroring": must(ratelimit.Erroring(rate.NewLimiter(1, 0))),
		"gate":     must(ratelimit.NewGate(local, ratelimit.NoFields())),
	} {
		b.Run(name, func(b *testing.B) {
			h := g.Middleware(spec, nothing)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h(b.Context(), nil); err == nil {
					b.Fatal("want an error")
				}
			}
		})
	}
}

const many = 1_000_000

// BenchmarkMillionKeys takes for one of a million keys at random, beside a map of *rate.Limiter with one lock, which is what people write.
func BenchmarkMillionKeys(b *testing.B) {
	calls := make([]string, 1<<20) // in the order of memory, since the key of a call has just been made
	for i := range calls {
		calls[i] = "key " + strconv.Itoa(rand.IntN(many))
	}
	run := func(b *testing.B, take func(key string) bool) {
		before := heap()
		for i := range many {
			take("key " + strconv.Itoa(i))
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if !take(calls[i&(1<<20-1)]) {
				b.Fatal("refused")
			}
			i++
		}
		b.ReportMetric(float64(heap()-before)/many, "B/key")
	}
	b.Run("local", func(b *testing.B) {
		l := must(ratelimit.New(ratelimit.Limit{Events: 1000, Period: 24 * time.Hour}, ratelimit.LocalMaxKeys(many))) // none is full soon
		run(b, func(key string) bool {
			d, err := l.Take(context.Background(), key, 1)
			return err == nil && d.Allowed
		})
		runtime.KeepAlive(l)
	})
	b.Run("quota", func(b *testing.B) {
		q := must(ratelimit.NewQuota(1e9, ratelimit.Daily(nil), ratelimit.QuotaMaxKeys(many)))
		run(b, func(key string) bool {
			d, err := q.Take(context.Background(), key, 1)
			return err == nil && d.Allowed
		})
		runtime.KeepAlive(q)
	})
	b.Run("map of rate.Limiter", func(b *testing.B) {
		limiters := map[string]*rate.Limiter{}
		var mu sync.Mutex
		run(b, func(key string) bool {
			mu.Lock()
			l := limiters[key]
			if l == nil {
				l = rate.NewLimiter(1e6, 1e6)
				limiters[key] = l
			}
			mu.Unlock()
			return l.Allow()
		})
		runtime.KeepAlive(limiters)
	})
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
