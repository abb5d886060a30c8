package redislimit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// While Redis is gone, in whatever way, calls are decided at once in the way that was chosen, and the limiter says so; soon after Redis is back
// that is over.
func TestWhatIsDecidedWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, begin := range absences() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && strings.Contains(name, "cluster") {
				t.Skip("a cluster takes long to see that it is down, and that it is not")
			}
			redis := begin(t)
			seen := make([]*witness, 3)
			limiters := make([]*redislimit.Limiter, 3)
			limit := ratelimit.Limit{Events: 1, Period: hour, Burst: 100}
			for i, f := range []redislimit.Fallback{redislimit.Refuse(), redislimit.Allow(), redislimit.LocalShare(4)} {
				seen[i] = new(witness)
				limiters[i] = newLimiter(t, redis.client, limit, f, append(seen[i].options(), redislimit.Timeout(timeout))...)
				warm(t, limiters[i])
			}
			redis.away()
			for i, want := range []redislimit.Counts{{Refused: calls}, {Allowed: calls}, {Allowed: 25, Refused: calls - 25}} {
				goneFrom(t, limiters[i], seen[i], want)
			}
			redis.back()
			began := time.Now()
			for i, l := range limiters {
				await(t, "Redis to be back", func() bool { return !l.Status().Gone })
				t.Logf("%v: back after %v", l.Status().Fallback, time.Since(began))
				backAgain(t, l, seen[i])
			}
		})
	}
}

const (
	calls   = 1000
	timeout = 300 * time.Millisecond // more than the default, for a busy machine
)

// warm lets Redis decide, and go-redis know a cluster.
func warm(t *testing.T, l *redislimit.Limiter) {
	t.Helper()
	await(t, "a decision by Redis", func() bool {
		try(t, l, "key", 1)
		return l.Status().Shared.Allowed > 0 && !l.Status().Gone
	})
}

func goneFrom(t *testing.T, l *redislimit.Limiter, w *witness, want redislimit.Counts) {
	t.Helper()
	before := l.Status().Alone
	began := time.Now()
	try(t, l, "key", 1)
	first := time.Since(began)
	for range calls - 1 {
		try(t, l, "key", 1)
	}
	took := time.Since(began)
	t.Logf("%v: the first call took %v, and all %v", l.Status().Fallback, first, took)
	if took > calls*timeout/100 {
		t.Errorf("want one call to wait, and no other, have %d in %v", calls, took)
	}
	s := l.Status()
	if have := (redislimit.Counts{Allowed: s.Alone.Allowed - before.Allowed, Refused: s.Alone.Refused - before.Refused}); want != have {
		t.Errorf("%v: want %+v without Redis, have %+v", s.Fallback, want, have)
	}
	if !s.Gone || s.Err == nil || s.Since.Before(began) || s.Outages == 0 {
		t.Errorf("want an outage that is told of, have %+v", s)
	}
	events, lines := w.seen()
	if len(events) != 1 || events[0].Kind != redislimit.Gone || events[0].Err == nil || events[0].Limiter != "test" {
		t.Errorf("want one event, that Redis is gone, have %+v", events)
	}
	if len(lines) != 1 || !strings.Contains(lines[0], "level=error") || !strings.Contains(lines[0], "redis is gone") || !strings.Contains(lines[0], "limiter=test") {
		t.Errorf("want one line, that Redis is gone, have %q", lines)
	}
}

func backAgain(t *testing.T, l *redislimit.Limiter, w *witness) {
	t.Helper()
	s := l.Status()
	await(t, "a decision by Redis", func() bool {
		return try(t, l, "key", 1).Limit.Burst == 100 && l.Status().Shared != s.Shared
	})
	events, lines := w.seen()
	if len(events) != 2 || events[1].Kind != redislimit.Back || events[1].Lasted <= 0 || events[1].Alone.Allowed+events[1].Alone.Refused < calls {
		t.Errorf("want one more event, that Redis is back, have %+v", events)
	}
	if len(lines) != 2 || !strings.Contains(lines[1], "level=warn") || !strings.Contains(lines[1], "redis is back") {
		t.Errorf("want one more line, that Redis is back, have %q", lines)
	}
}
