package redislimit_test

import (
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// A distributed limiter that silently becomes a local one.
func TestADistributedLimiterDoesNotSilentlyBecomeALocalOne(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	client := newClient(t, server.Address)
	limit := ratelimit.Limit{Events: 100, Period: hour}
	if l, err := redislimit.New(client, "test", limit, redislimit.Fallback{}); err == nil {
		l.Close()
		t.Error("want nobody to get a fallback that was not chosen")
	}
	w := new(witness)
	l := newLimiter(t, client, limit, redislimit.LocalShare(4), w.options()...)
	warm(t, l)
	if events, _ := w.seen(); len(events) != 0 || take(t, l, "key", 0).Limit != limit {
		t.Fatalf("want Redis to decide by the limit, have %+v", events)
	}
	server.Kill()
	await(t, "an outage", func() bool {
		take(t, l, "key", 1)
		return l.Status().Gone
	})
	for range 9 {
		if d := take(t, l, "key", 1); d.Limit.Capacity() != 25 || d.Limit.Period != 4*hour {
			t.Errorf("want the caller to be told by which limit it was decided, have %v", d.Limit)
		}
	}
	events, lines := w.seen()
	if len(events) != 1 || events[0].Kind != redislimit.Gone || events[0].Fallback.String() != "local share of 1/4" {
		t.Errorf("want an event that says what decides, have %+v", events)
	}
	if len(lines) != 1 || !strings.Contains(lines[0], `fallback="local share of 1/4"`) {
		t.Errorf("want a line that says what decides, have %q", lines)
	}
	if s := l.Status(); !s.Gone || s.Err == nil || s.Alone.Allowed < 10 {
		t.Errorf("want a status that says what decides, and counts it, have %+v", s)
	}
	server.Start()
	await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	events, lines = w.seen()
	if len(events) != 2 || events[1].Kind != redislimit.Back || events[1].Alone.Allowed < 10 || len(lines) != 2 || !strings.Contains(lines[1], "allowed=1") {
		t.Errorf("want an event and a line that it is over, with what was decided meanwhile, have %+v, %q", events, lines)
	}
}

// TestAPanicOfWhoIsTold is the caller's; the limiter looks for Redis all the same.
func TestAPanicOfWhoIsTold(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1), redislimit.Allow(), redislimit.OnEvent(func(e redislimit.Event) {
		if e.Kind == redislimit.Gone {
			panic("out of order")
		}
	}))
	server.Kill()
	func() {
		defer func() {
			if want, have := "out of order", recover(); want != have {
				t.Errorf("want the panic %v, have %v", want, have)
			}
		}()
		take(t, l, "key", 1)
	}()
	take(t, l, "key", 1)
	server.Start()
	await(t, "Redis to be back", func() bool { return !l.Status().Gone })
}
