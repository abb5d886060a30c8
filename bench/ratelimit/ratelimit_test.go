// Package ratelimit_test measures what it costs to ask whether a call may be made.
//
// Endpoint asks one token bucket around an endpoint that does nothing: plain is the Limiter of golang.org/x/time/rate alone, erroring and
// delaying are Ashlar's Gates over the same, gate is one over Ashlar's own limiter, gokit is Go kit's NewErroringLimiter over x/time/rate,
// failsafe is failsafe-go's bursty limiter alone, and executor the same with its executor, which is its middleware.
//
// MillionKeys asks the bucket of one of a million keys at random: ashlar is ratelimit.Local; plain is a map of x/time/rate limiters with one
// lock, which never forgets; throttled is throttled's GCRA over its store in memory, which forgets the least recently used; sethvargo is
// go-limiter's store in memory, which forgets what was not used for long.
package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/failsafe-go/failsafe-go"
	failsaferate "github.com/failsafe-go/failsafe-go/ratelimiter"
	gokitrate "github.com/go-kit/kit/ratelimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
	"golang.org/x/time/rate"
)

// call makes one call that is allowed, and returns an error if it was not.
type call func(ctx context.Context) error

var errRefused = errors.New("refused")

func nothing(context.Context, any) (any, error) { return nil, nil } //nolint:nilnil // an endpoint that does nothing

// plenty is a rate that no measurement uses up.
func plenty() *rate.Limiter { return rate.NewLimiter(1e9, 1<<30) }

func endpoints(t testing.TB) map[string]call {
	t.Helper()
	of := func(h func(context.Context, any) (any, error)) call {
		return func(ctx context.Context) error { _, err := h(ctx, nil); return err }
	}
	gate := func(g *ratelimit.Gate, err error) call {
		if err != nil {
			t.Fatal(err)
		}
		return of(g.Middleware(endpoint.Spec{Service: "bench", Method: "Call"}, nothing))
	}
	local, err := ratelimit.New(ratelimit.PerSecond(1e9))
	if err != nil {
		t.Fatal(err)
	}
	limiter := plenty()
	bursty := failsaferate.NewBursty[any](1<<30, time.Second)
	executor := failsafe.With[any](bursty)
	return map[string]call{
		"plain": of(func(ctx context.Context, request any) (any, error) {
			if !limiter.Allow() {
				return nil, errRefused
			}
			return nothing(ctx, request)
		}),
		"erroring": gate(ratelimit.Erroring(plenty())),
		"delaying": gate(ratelimit.Delaying(plenty())),
		"gate":     gate(ratelimit.NewGate(local, ratelimit.NoFields())),
		"gokit":    of(gokitrate.NewErroringLimiter(plenty())(nothing)),
		"failsafe": of(func(ctx context.Context, request any) (any, error) {
			if !bursty.TryAcquirePermit() {
				return nil, errRefused
			}
			return nothing(ctx, request)
		}),
		"executor": func(ctx context.Context) error {
			_, err := executor.WithContext(ctx).Get(func() (any, error) { return nothing(ctx, nil) })
			return err
		},
	}
}

func BenchmarkEndpoint(b *testing.B) {
	all := endpoints(b)
	for _, name := range []string{"plain", "erroring", "delaying", "gate", "gokit", "failsafe", "executor"} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if err := all[name](ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		for _, name := range []string{"erroring", "delaying", "gate", "gokit", "failsafe", "executor"} {
			ratio(b, name, all[name], all["plain"])
		}
		b.ReportMetric(0, "ns/op")
	})
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, name string, c, plain call) {
	b.Helper()
	const turns, turn = 201, 5000
	ratios := make([]float64, turns)
	for i := range ratios {
		p := timed(b, plain, turn)
		ratios[i] = float64(timed(b, c, turn)) / float64(p)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[turns/2], name+"/plain")
}

func timed(b *testing.B, c call, count int) time.Duration {
	b.Helper()
	ctx := context.Background()
	began := time.Now()
	for range count {
		if err := c(ctx); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// take asks for one event of the key.
type take func(key string) bool

// keyed are the limiters by key, of up to so many; each takes a thousand events of a key in a day, and more than one in a second.
func keyed(t testing.TB, keys int) map[string]func() take {
	t.Helper()
	const events, period = 1000, 24 * time.Hour
	ctx := context.Background()
	return map[string]func() take{
		"ashlar": func() take {
			l, err := ratelimit.New(ratelimit.Limit{Events: events, Period: period}, ratelimit.LocalMaxKeys(keys))
			if err != nil {
				t.Fatal(err)
			}
			return func(key string) bool {
				d, err := l.Take(ctx, key, 1)
				return err == nil && d.Allowed
			}
		},
		"plain": func() take {
			var mu sync.Mutex
			limiters := map[string]*rate.Limiter{}
			return func(key string) bool {
				mu.Lock()
				l := limiters[key]
				if l == nil {
					l = rate.NewLimiter(rate.Every(period/events), events)
					limiters[key] = l
				}
				mu.Unlock()
				return l.Allow()
			}
		},
		"throttled": func() take {
			store, err := memstore.NewCtx(keys)
			if err != nil {
				t.Fatal(err)
			}
			l, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{MaxRate: throttled.PerDay(events), MaxBurst: events - 1})
			if err != nil {
				t.Fatal(err)
			}
			return func(key string) bool {
				limited, _, err := l.RateLimitCtx(ctx, key, 1)
				return err == nil && !limited
			}
		},
		"sethvargo": func() take {
			store, err := memorystore.New(&memorystore.Config{Tokens: events, Interval: period})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close(ctx) })
			return func(key string) bool {
				_, _, _, ok, err := store.Take(ctx, key)
				return err == nil && ok
			}
		},
	}
}

func BenchmarkMillionKeys(b *testing.B) {
	const many = 1_000_000
	calls := make([]string, 1<<20) // in the order of memory, since the key of a call has just been made
	for i := range calls {
		calls[i] = "key " + strconv.Itoa(rand.IntN(many))
	}
	for name, start := range keyed(b, many) {
		b.Run(name, func(b *testing.B) {
			before := heap()
			take := start()
			for i := range many {
				take("key " + strconv.Itoa(i))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if !take(calls[i&(1<<20-1)]) {
					b.Fatal(errRefused)
				}
				i++
			}
			b.ReportMetric(float64(heap()-before)/many, "B/key")
			runtime.KeepAlive(take)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestContestants sees that all of them limit: what is measured is work that is done.
func TestContestants(t *testing.T) {
	t.Parallel()
	for name, c := range endpoints(t) {
		if err := c(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, start := range keyed(t, 10) {
		take, allowed := start(), 0
		for range 2000 {
			if take("a") {
				allowed++
			}
		}
		if allowed != 1000 || !take("b") {
			t.Errorf("%s: want 1000 of a key allowed, and others, have %s", name, fmt.Sprint(allowed))
		}
	}
}
