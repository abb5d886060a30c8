package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
	"github.com/ashlar-go/ashlar/status"
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

// TestARefusalWithoutRedisIsNoFaultOfTheCallers has calls of a gate: those that Redis does not decide, since it is gone, and one on which it decides
// that there were too many.
func TestARefusalWithoutRedisIsNoFaultOfTheCallers(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	client := newClient(t, server.Address)
	for rule, want := range map[ratelimit.Failure]status.Code{ratelimit.FailureRefuse: status.Unavailable, ratelimit.FailureAllow: status.OK} {
		w := new(witness)
		l := newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour}, redislimit.Refuse(), append(w.options(), unhurried())...)
		var events []ratelimit.EventKind
		gate, err := ratelimit.NewGate(l, ratelimit.PerOperation(), ratelimit.OnFailure(rule), ratelimit.OnEvent(func(e ratelimit.Event) {
			events = append(events, e.Kind)
		}))
		if err != nil {
			t.Fatal(err)
		}
		call := endpoint.New(endpoint.Spec{Service: "orders", Method: fmt.Sprint("Place", rule)}, placeOrder, gate.Middleware)
		for _, want := range []status.Code{status.OK, status.ResourceExhausted} {
			if _, err := call(t.Context(), "a"); want != status.CodeOf(err) {
				t.Errorf("with Redis: want %v, have %v", want, err)
			}
		}
		server.Kill()
		for range 2 {
			_, err := call(t.Context(), "a")
			if e := status.As(err); want != status.CodeOf(err) || e != nil && (e.Reason != ratelimit.ReasonNoDecision || !errors.Is(err, redislimit.ErrGone)) {
				t.Errorf("without Redis: want %v since Redis is gone, have %v", want, err)
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("want no deadline of the caller's to have passed, have %v", err)
			}
		}
		if want, have := (redislimit.Counts{Refused: 2}), l.Status().Alone; want != have {
			t.Errorf("want %+v, have %+v", want, have)
		}
		if told, lines := w.seen(); len(told) != 1 || len(lines) != 1 {
			t.Errorf("want one event and one line, have %+v, %q", told, lines)
		}
		if want := slices.Index(events, ratelimit.LimiterFailed); want != 1 {
			t.Errorf("want to be told, after one refusal, that the limiter fails, have %v", events)
		}
		server.Start()
		await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	}
}

// TestWithoutRedisNothingIsLookedAt by Refuse: there is nothing that it could say.
func TestWithoutRedisNothingIsLookedAt(t *testing.T) {
	t.Parallel()
	l := newLimiter(t, newClosedClient(t), ratelimit.PerSecond(10), redislimit.Refuse(), redislimit.Interval(time.Minute))
	for range 2 {
		if d, err := l.Take(t.Context(), "key", 0); !errors.Is(err, redislimit.ErrGone) || d != (ratelimit.Decision{}) ||
			!strings.Contains(err.Error(), "redis: client is closed") {
			t.Errorf("want an error that says why, have %+v, %v", d, err)
		}
	}
}

// TestWhatNewHasNotMade fails, and does not panic.
func TestWhatNewHasNotMade(t *testing.T) {
	t.Parallel()
	for _, l := range []*redislimit.Limiter{nil, {}} {
		if d, err := l.Take(t.Context(), "key", 1); err == nil || !strings.Contains(err.Error(), "New has not made") || d != (ratelimit.Decision{}) {
			t.Errorf("want an error, have %+v, %v", d, err)
		}
		l.Close()
	}
	if s := new(redislimit.Limiter).Status(); s.Gone || s.Name != "" {
		t.Errorf("want a status that says nothing, have %+v", s)
	}
}
