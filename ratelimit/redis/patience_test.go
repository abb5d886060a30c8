package redislimit_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// Who gives up is no reason to believe that Redis is gone.
func TestTheCallersOwnCancellationIsNoFailureOfRedis(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1000), redislimit.Refuse(), redislimit.Timeout(2*time.Second))
	warm(t, l)
	server.Suspend()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	d, err := l.Take(ctx, "key", 1)
	server.Resume() // before the limiter has looked for long
	if !errors.Is(err, context.Canceled) || d != (ratelimit.Decision{}) {
		t.Errorf("want no decision, have %+v, %v", d, err)
	}
	for range 100 {
		take(t, l, "key", 1)
	}
	if s := l.Status(); s.Outages != 0 || s.Alone != (redislimit.Counts{}) {
		t.Errorf("want no outage, have %+v", s)
	}
}

// Nor is it that a deadline of the caller's own has passed, which the connection notices before the context does.
func TestTheCallersOwnDeadlineIsNoFailureOfRedis(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1000), redislimit.Refuse(), redislimit.Timeout(10*time.Second))
	warm(t, l)
	server.Suspend()
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				d, err := l.Take(ctx, "key", 1)
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) || d != (ratelimit.Decision{}) {
					t.Errorf("want no decision, have %+v, %v", d, err)
				}
			}
		})
	}
	callers.Wait()
	if s := l.Status(); s.Outages != 0 || s.Alone != (redislimit.Counts{}) {
		t.Errorf("want no outage, have %+v", s)
	}
	server.Resume()
}

// Callers with less patience than the limiter do not all wait for a Redis that hangs: after one of them somebody looks.
func TestCallersWithLessPatienceThanTheLimiterDoNotAllWait(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	w := new(witness)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1000), redislimit.Allow(), append(w.options(), redislimit.Timeout(time.Second))...)
	warm(t, l)
	server.Suspend()
	gaveUp := 0
	await(t, "an outage", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		d, err := l.Take(ctx, "key", 1)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			gaveUp++
		case err != nil || !d.Allowed:
			t.Fatalf("want a decision or the end of the context, have %+v, %v", d, err)
		}
		return err == nil
	})
	if s := l.Status(); !s.Gone || gaveUp == 0 || s.Alone.Allowed != 1 {
		t.Errorf("want an outage after some have given up, have %+v after %d", s, gaveUp)
	}
	server.Resume()
	await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	if events, _ := w.seen(); len(events) != 2 {
		t.Errorf("want one outage, have %+v", events)
	}
}

// TestWhyRedisIsGoneNamesTheTimeout that the limiter has waited for.
func TestWhyRedisIsGoneNamesTheTimeout(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1000), redislimit.Allow(), redislimit.Timeout(321*time.Millisecond))
	warm(t, l)
	server.Suspend()
	take(t, l, "key", 1)
	if s := l.Status(); !s.Gone || !errors.Is(s.Err, context.DeadlineExceeded) && !errors.Is(s.Err, os.ErrDeadlineExceeded) ||
		!strings.Contains(s.Err.Error(), "no answer within 321ms") {
		t.Errorf("want an outage since there is no answer, have %+v", s)
	}
	server.Resume()
}

// TestWhyRedisIsGoneIsWhatHappened where nobody listens, and go-redis tries several times, as it does by default, or once.
func TestWhyRedisIsGoneIsWhatHappened(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	server.Stop()
	for tries, want := range map[int]string{0: "no connection within 50ms: ", 1: "connect: connection refused"} {
		client := redis.NewClient(&redis.Options{Addr: server.Address, ContextTimeoutEnabled: true, DialerRetries: tries})
		w := new(witness)
		l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), w.options()...)
		take(t, l, "key", 1)
		if _, lines := w.seen(); len(lines) != 1 || !strings.Contains(lines[0], want) || strings.Contains(lines[0], "no answer") {
			t.Errorf("%d tries: want %q in the line, have %q", tries, want, lines)
		}
		await(t, "the reason", func() bool { return strings.Contains(l.Status().Err.Error(), "connection refused") })
		l.Close()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What answers now and then does not make a flood of events.
func TestAnOutageAfterAnotherLastsForAWhile(t *testing.T) {
	t.Parallel()
	proxy := testserver.StartProxy(t, testserver.StartRedis(t).Address)
	w := new(witness)
	l := newLimiter(t, newClient(t, proxy.Address), ratelimit.PerSecond(1000), redislimit.Refuse(), w.options()...)
	warm(t, l)
	const outages = 3
	for range outages {
		proxy.Cut()
		await(t, "an outage", func() bool {
			try(t, l, "key", 1)
			return l.Status().Gone
		})
		proxy.Restore()
		await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	}
	events, _ := w.seen()
	if want, have := 2*outages, len(events); want != have {
		t.Fatalf("want %d events, have %+v", want, events)
	}
	for i, e := range events {
		if last := i == len(events)-1; last && e.Lasted < redislimit.Calm {
			t.Errorf("want it to last %v at least, have %v", redislimit.Calm, e.Lasted)
		}
		if want := []redislimit.EventKind{redislimit.Gone, redislimit.Back}[i%2]; e.Kind != want {
			t.Errorf("event %d: want %v, have %v", i, want, e.Kind)
		}
	}
}

func TestCloseEndsLookingForRedis(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	l := newLimiter(t, newClient(t, server.Address), ratelimit.PerSecond(1000), redislimit.Refuse())
	warm(t, l)
	server.Suspend()
	await(t, "an outage", func() bool {
		try(t, l, "key", 1)
		return l.Status().Gone
	})
	began := time.Now()
	l.Close()
	if took := time.Since(began); took > 10*redislimit.MinLook {
		t.Errorf("want Close to wait for one look at most, have %v", took)
	}
	server.Resume()
	if _, err := l.Take(t.Context(), "key", 1); !errors.Is(err, redislimit.ErrClosed) {
		t.Errorf("want %v, have %v", redislimit.ErrClosed, err)
	}
}
