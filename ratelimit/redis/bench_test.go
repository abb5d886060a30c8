package redislimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

func BenchmarkTake(b *testing.B) {
	l := newLimiter(b, newClient(b, testserver.StartRedis(b).Address), ratelimit.PerSecond(1_000_000), redislimit.Refuse(), unhurried())
	benchmark(b, l)
}

func BenchmarkTakeWithoutRedis(b *testing.B) {
	limit := ratelimit.PerSecond(1000)
	for _, f := range []redislimit.Fallback{redislimit.Refuse(), redislimit.Allow(), redislimit.LocalShare(4)} {
		b.Run(f.String(), func(b *testing.B) {
			benchmark(b, newLimiter(b, newClosedClient(b), limit, f, redislimit.Interval(time.Minute)))
		})
	}
	b.Run("ratelimit.Local", func(b *testing.B) {
		l, err := ratelimit.New(limit)
		if err != nil {
			b.Fatal(err)
		}
		benchmark(b, l)
	})
}

func benchmark(b *testing.B, l ratelimit.Limiter) {
	b.Helper()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Take(ctx, "key", 1); err != nil && !errors.Is(err, redislimit.ErrGone) {
			b.Fatal(err)
		}
	}
}
