package redislimit_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// TestWhatFallbacksDecide is what each says to one call, with n of 0, too, which takes nothing and is always allowed.
func TestWhatFallbacksDecide(t *testing.T) {
	t.Parallel()
	limit := ratelimit.Limit{Events: 10, Period: hour, Burst: 11}
	share := ratelimit.Limit{Events: 10, Period: 4 * hour, Burst: 2}
	small := ratelimit.Limit{Events: 10, Period: 20 * hour, Burst: 1}
	client := newClosedClient(t)
	for _, row := range []struct {
		fallback redislimit.Fallback
		n        int
		want     ratelimit.Decision
	}{
		{redislimit.Refuse(), 0, ratelimit.Decision{Allowed: true, Limit: limit, Reset: 66 * time.Minute}},
		{redislimit.Refuse(), 1, ratelimit.Decision{Limit: limit, Reset: 66 * time.Minute, RetryAfter: redislimit.RetryAfter}},
		{redislimit.Allow(), 0, ratelimit.Decision{Allowed: true, Limit: limit, Remaining: 11}},
		{redislimit.Allow(), 11, ratelimit.Decision{Allowed: true, Limit: limit, Remaining: 11}},
		{redislimit.LocalShare(4), 0, ratelimit.Decision{Allowed: true, Limit: share, Remaining: 2}},
		{redislimit.LocalShare(4), 2, ratelimit.Decision{Allowed: true, Limit: share, Reset: 48 * time.Minute}},
		{redislimit.LocalShare(4), 3, ratelimit.Decision{Limit: share, Remaining: 2, RetryAfter: redislimit.RetryAfter}},
		{redislimit.LocalShare(20), 1, ratelimit.Decision{Allowed: true, Limit: small, Reset: 2 * hour}},
	} {
		l := newLimiter(t, client, limit, row.fallback, redislimit.Interval(time.Minute))
		if have := take(t, l, "key", row.n); row.want != have {
			t.Errorf("%v, %d events: want %+v, have %+v", row.fallback, row.n, row.want, have)
		}
	}
}
