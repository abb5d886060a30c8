// Package redislimit_test measures what a decision by Redis costs: ashlar is a Limiter of ratelimit/redis, bare the round trip of an EVALSHA
// of a script that does nothing, rate Allow of go-redis/redis_rate, and gozero the token limiter of go-zero's core/limit. All of them use one
// server, and everything is allowed.
package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/zeromicro/go-zero/core/limit"
	zeroredis "github.com/zeromicro/go-zero/core/stores/redis"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// rate is so much that nothing is refused.
const rate = 1_000_000

var errRefused = errors.New("refused")

// take takes one event.
type take func(ctx context.Context) error

type contestant struct {
	name string
	take take
}

// contestants returns all of them, the first of which the others are compared with.
func contestants(t testing.TB) []contestant {
	t.Helper()
	address := testserver.StartRedis(t).Address
	return []contestant{{"ashlar", newAshlar(t, address)}, {"bare", newBare(t, address)}, {"rate", newRate(t, address)}, {"gozero", newGoZero(t, address)}}
}

func BenchmarkTake(b *testing.B) {
	all := contestants(b)
	for _, c := range all {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.take(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/parallel", func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.take(b.Context()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	b.Run("ratio", func(b *testing.B) { ratios(b, all) })
}

// ratios reports the medians over short turns of all, one after the other, so that a busy machine slows them alike.
func ratios(b *testing.B, all []contestant) {
	b.Helper()
	const turn = 50
	have := make([][]float64, len(all))
	for b.Loop() {
		first := timed(b, all[0].take, turn)
		for i, c := range all[1:] {
			have[i+1] = append(have[i+1], float64(first)/float64(timed(b, c.take, turn)))
		}
	}
	for i, c := range all[1:] {
		slices.Sort(have[i+1])
		b.ReportMetric(have[i+1][len(have[i+1])/2], fmt.Sprintf("ashlar/%s", c.name))
	}
	b.ReportMetric(0, "ns/op")
}

func timed(b *testing.B, f take, count int) time.Duration {
	b.Helper()
	began := time.Now()
	for range count {
		if err := f(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func newClient(t testing.TB, address string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

func newAshlar(t testing.TB, address string) take {
	t.Helper()
	// The timeout is longer than the default, since a busy machine is not what is measured.
	l, err := redislimit.New(newClient(t, address), "bench", ratelimit.PerSecond(rate), redislimit.Refuse(), redislimit.Timeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return func(ctx context.Context) error {
		d, err := l.Take(ctx, "key", 1)
		return allowed(d.Allowed, err)
	}
}

func newBare(t testing.TB, address string) take {
	t.Helper()
	client, script := newClient(t, address), redis.NewScript("return 1")
	return func(ctx context.Context) error {
		n, err := script.Run(ctx, client, []string{"{key}"}).Int()
		return allowed(n == 1, err)
	}
}

func newRate(t testing.TB, address string) take {
	t.Helper()
	l, limit := redis_rate.NewLimiter(newClient(t, address)), redis_rate.PerSecond(rate)
	return func(ctx context.Context) error {
		r, err := l.Allow(ctx, "key", limit)
		return allowed(err == nil && r.Allowed == 1, err)
	}
}

func newGoZero(t testing.TB, address string) take {
	t.Helper()
	store, err := zeroredis.NewRedis(zeroredis.RedisConf{Host: address, Type: zeroredis.NodeType})
	if err != nil {
		t.Fatal(err)
	}
	l := limit.NewTokenLimiter(rate, rate, store, "key")
	return func(ctx context.Context) error { return allowed(l.AllowCtx(ctx), nil) }
}

func allowed(ok bool, err error) error {
	if err == nil && !ok {
		err = errRefused
	}
	return err
}

// All of them work: this is no measurement.
func TestSmoke(t *testing.T) {
	t.Parallel()
	for _, c := range contestants(t) {
		for range 100 {
			if err := c.take(t.Context()); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
	}
}
