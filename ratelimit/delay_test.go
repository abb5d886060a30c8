package ratelimit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
)

func TestDelaying(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := must(ratelimit.Delaying(rate.NewLimiter(10, 1), ratelimit.MaxWaiters(3)))
		h := g.Middleware(spec, nothing)
		start := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var passed []time.Duration
		for range 4 { // one passes, three wait
			wg.Go(func() {
				if err := call(t.Context(), h); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				passed = append(passed, time.Since(start))
			})
		}
		synctest.Wait()
		if want, have := 3, g.Status().Waiting; want != have {
			t.Errorf("want %d waiting, have %d", want, have)
		}
		want := refusal{code: status.ResourceExhausted, reason: ratelimit.ReasonWaiting, after: 400 * time.Millisecond}
		if have := refusalOf(call(t.Context(), h), nil); want != have {
			t.Errorf("a fifth: want %+v, have %+v", want, have)
		}
		wg.Wait()
		const tenth = time.Second / 10
		if want := []time.Duration{0, tenth, 2 * tenth, 3 * tenth}; !slices.Equal(want, passed) {
			t.Errorf("want them at %v, have %v", want, passed)
		}
		if want, have := 0, g.Status().Waiting; want != have {
			t.Errorf("want %d waiting, have %d", want, have)
		}
	})
}

func TestDelayingKeepsDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := must(ratelimit.Delaying(rate.NewLimiter(1, 1))).Middleware(spec, nothing)
		if err := call(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 999*time.Millisecond)
		defer cancel()
		want := refusal{code: status.ResourceExhausted, reason: ratelimit.ReasonLimited, after: time.Second}
		if have := refusalOf(call(ctx, h), nil); want != have || time.Since(start) != 0 {
			t.Errorf("want %+v at once, have %+v after %v", want, have, time.Since(start))
		}
		canceled, cancelIt := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancelIt)
		if err := call(canceled, h); !errors.Is(err, context.Canceled) || status.CodeOf(err) != status.Canceled || time.Since(start) != 500*time.Millisecond {
			t.Errorf("want Canceled after 500ms, have %v after %v", err, time.Since(start))
		}
		if err := call(t.Context(), h); err != nil || time.Since(start) != time.Second {
			t.Errorf("want the place of the canceled one after 1s, have %v after %v", err, time.Since(start))
		}
	})
}

// TestTooLongAWaitIsToldInOwnWords has the limiter's among the causes, which stay here.
func TestTooLongAWaitIsToldInOwnWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := must(ratelimit.Delaying(rate.NewLimiter(1, 1), ratelimit.MaxWait(time.Millisecond), ratelimit.Policy("slow")))
		h := g.Middleware(spec, nothing)
		_ = call(t.Context(), h)
		e := status.As(call(t.Context(), h))
		if want := "too many calls: this one would have to wait for too long"; e == nil || want != e.Message {
			t.Errorf("want %q, have %v", want, e)
		}
		if e.Reason != ratelimit.ReasonLimited || e.Cause == nil || !strings.Contains(e.Cause.Error(), "would exceed context deadline") {
			t.Errorf("want the cause to be the limiter's, have %v", e)
		}
	})
}

func TestAPanicOnTheWayLeavesNothingCounted(t *testing.T) {
	t.Parallel()
	g := must(ratelimit.Delaying(panicking{}))
	h := g.Middleware(spec, nothing)
	func() {
		defer func() {
			if want, have := "out of order", recover(); want != have {
				t.Errorf("want the panic %v, have %v", want, have)
			}
		}()
		_ = call(t.Context(), h)
	}()
	if want, have := 0, g.Status().Waiting; want != have {
		t.Errorf("want %d waiting, have %d", want, have)
	}
}

type panicking struct{}

func (panicking) Wait(context.Context) error { panic("out of order") }
