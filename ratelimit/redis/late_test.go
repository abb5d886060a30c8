package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// holder is a hook that holds the commands of the key "held", which may fail then, and counts those by which a limiter looks for Redis, which it may delay.
type holder struct {
	hold   func(ctx context.Context) error
	delay  func(probe int64) time.Duration
	probes atomic.Int64
}

// DialHook implements redis.Hook.
func (*holder) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h *holder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch text := cmd.String(); {
		case strings.Contains(text, "{held} "):
			if err := h.hold(ctx); err != nil {
				cmd.SetErr(err)
				return err
			}
		case strings.Contains(text, "}probe "):
			if n := h.probes.Add(1); h.delay != nil {
				<-time.After(h.delay(n))
			}
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (*holder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// TestAFailureFromBeforeTheEndOfAnOutage does not begin another.
func TestAFailureFromBeforeTheEndOfAnOutage(t *testing.T) {
	t.Parallel()
	server := testserver.StartRedis(t)
	client := newClient(t, server.Address)
	held, late := make(chan struct{}), make(chan struct{})
	client.AddHook(&holder{hold: func(context.Context) error {
		close(held)
		<-late
		return errors.New("late")
	}})
	w := new(witness)
	l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), append(w.options(), unhurried())...)
	warm(t, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		take(t, l, "held", 1)
	}()
	<-held
	server.Kill()
	await(t, "an outage", func() bool {
		take(t, l, "key", 1)
		return l.Status().Gone
	})
	server.Start()
	await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	close(late)
	<-done
	if s := l.Status(); s.Gone || s.Outages != 1 {
		t.Errorf("want one outage, which is over, have %+v", s)
	}
	if events, _ := w.seen(); len(events) != 2 {
		t.Errorf("want it to have begun and ended once, have %+v", events)
	}
}

// TestThoseWhoGiveUpDoNotMakeManyLook for a Redis that is there.
func TestThoseWhoGiveUpDoNotMakeManyLook(t *testing.T) {
	t.Parallel()
	client := newClient(t, testserver.StartRedis(t).Address)
	h := &holder{hold: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	client.AddHook(h)
	l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), redislimit.Interval(time.Minute), unhurried())
	const callers = 20
	for range callers {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if d, err := l.Take(ctx, "held", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want the end of the context, have %+v, %v", d, err)
		}
		cancel()
	}
	l.Close()
	if have := h.probes.Load(); have > 3 { // two calls, and one with the script
		t.Errorf("want at most one look in an interval, have %d calls", have)
	}
}

// TestALookMayTakeLongOnce since it may have to set up a connection; then it has to be as quick as a Take, or nobody could use it.
func TestALookMayTakeLongOnce(t *testing.T) {
	t.Parallel()
	const tooLong = redislimit.MinLook / 5
	address := testserver.StartRedis(t).Address
	start := func(delay func(probe int64) time.Duration) (*redislimit.Limiter, *holder) {
		client := newClient(t, address)
		h := &holder{delay: delay, hold: func(context.Context) error { return errors.New("no") }}
		client.AddHook(h)
		warm(t, newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), unhurried())) // Redis knows the script
		l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), redislimit.Timeout(tooLong/2), redislimit.Interval(10*time.Millisecond))
		take(t, l, "held", 1)
		return l, h
	}
	l, _ := start(func(probe int64) time.Duration { return time.Duration(probe%2) * tooLong })
	await(t, "Redis to be back", func() bool { return !l.Status().Gone })
	l, h := start(func(int64) time.Duration { return tooLong })
	await(t, "three looks", func() bool { return h.probes.Load() > 6 })
	if s := l.Status(); !s.Gone || s.Outages != 1 {
		t.Errorf("want an outage as long as Redis is slow, have %+v", s)
	}
}

// TestAConnectionThatBrokeOff says nothing about the next one, which is tried once.
func TestAConnectionThatBrokeOff(t *testing.T) {
	t.Parallel()
	address := testserver.StartRedis(t).Address
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		for times := range 3 {
			client, left := newClient(t, address), times
			client.AddHook(&holder{hold: func(context.Context) error {
				if left--; left < 0 {
					return nil
				}
				return fmt.Errorf("reading: %w", err)
			}})
			l := newLimiter(t, client, ratelimit.PerSecond(1000), redislimit.Allow(), redislimit.Interval(time.Minute), unhurried())
			warm(t, l)
			take(t, l, "held", 1)
			if want, have := times > 1, l.Status().Gone; want != have {
				t.Errorf("%v, %d times: want an outage %t, have %t", err, times, want, have)
			}
		}
	}
}
