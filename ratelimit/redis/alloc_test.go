package redislimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

func TestAllocationsWithoutRedis(t *testing.T) {
	client := newClosedClient(t)
	for _, f := range []redislimit.Fallback{redislimit.Refuse(), redislimit.Allow(), redislimit.LocalShare(4)} {
		l := newLimiter(t, client, ratelimit.PerSecond(1000), f, redislimit.Interval(time.Minute))
		ctx := t.Context()
		await(t, "an outage", func() bool {
			try(t, l, "key", 1)
			return l.Status().Gone
		})
		if want, have := 0.0, testing.AllocsPerRun(1000, func() {
			if _, err := l.Take(ctx, "key", 1); err != nil && !errors.Is(err, redislimit.ErrGone) {
				t.Error(err)
			}
		}); want != have {
			t.Errorf("%v: want %v allocations, have %v", f, want, have)
		}
	}
}

func TestAllocationsWithRedis(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes a sync.Pool forget")
	}
	l := newLimiter(t, newClient(t, testserver.StartRedis(t).Address), ratelimit.PerSecond(1000), redislimit.Refuse(), unhurried())
	ctx := t.Context()
	take(t, l, "key", 1)
	const want = 20 // of which go-redis makes 8
	if have := testing.AllocsPerRun(1000, func() {
		if _, err := l.Take(ctx, "key", 1); err != nil {
			t.Error(err)
		}
	}); have > want {
		t.Errorf("want %v allocations, have %v", want, have)
	}
}
