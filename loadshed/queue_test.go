package loadshed_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/transport"
)

// The one that comes next may wait even if calls take longer than it may: one may end at any time. Those behind it may not.
func TestTheFirstInTheQueueMayTryItsLuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueTarget(100*time.Millisecond), loadshed.QueueInterval(100*time.Millisecond))
		for range 10 { // calls take a second
			done := acquire(t, s)
			time.Sleep(time.Second)
			done(nil)
		}
		done := acquire(t, s)
		order := queue(t, s, transport.PriorityDefault)
		began := time.Now()
		_, err := s.Acquire(t.Context())
		refused(t, err, loadshed.ErrLate)
		if have := time.Since(began); have > 0 {
			t.Errorf("want it at once, have it after %v", have)
		}
		time.Sleep(50 * time.Millisecond)
		done(nil)
		if have := order(); len(have) != 1 {
			t.Errorf("want the first to be let in, have %v", have)
		}
	})
}

// Of those who are less important, the one that would come last gives its place to a more important one.
func TestTheLastOfTheLeastImportantIsSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueRoom(2))
		done := acquire(t, s)
		order := queue(t, s, transport.PrioritySheddable)
		last := make(chan error, 1)
		go func() {
			_, err := s.Acquire(transport.WithPriority(t.Context(), transport.PrioritySheddable))
			last <- err
		}()
		synctest.Wait()
		critical := queue(t, s, transport.PriorityCritical)
		refused(t, <-last, loadshed.ErrFull)
		done(nil)
		if first, second := critical(), order(); len(first) != 1 || len(second) != 1 {
			t.Errorf("want the others to be let in, have %v and %v", first, second)
		}
	})
}

// How long a call may wait follows how long calls usually take: soon when they take less, and slowly when they take longer, which may be an
// overload. It has bounds.
func TestHowLongACallMayWaitFollowsTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShedder(t, loadshed.FixedLimit(1), loadshed.ProcessorThreshold(0))
		for _, step := range []struct{ takes, lasts, least, most time.Duration }{
			{10 * time.Millisecond, time.Minute, 29 * time.Millisecond, 31 * time.Millisecond},
			{100 * time.Millisecond, 5 * time.Second, 35 * time.Millisecond, 100 * time.Millisecond},
			{100 * time.Millisecond, 3 * time.Minute, 290 * time.Millisecond, 301 * time.Millisecond},
			{10 * time.Millisecond, 5 * time.Second, 29 * time.Millisecond, 40 * time.Millisecond},
			{100 * time.Microsecond, 8 * time.Second, 750 * time.Microsecond, 750 * time.Microsecond},
			{5 * time.Second, 10 * time.Minute, 6 * time.Second, 6 * time.Second},
		} {
			for began := time.Now(); time.Since(began) < step.lasts; {
				done := acquire(t, s)
				time.Sleep(step.takes)
				done(nil)
			}
			done, began := acquire(t, s), time.Now()
			_, err := s.Acquire(t.Context())
			refused(t, err, loadshed.ErrLate)
			if have := time.Since(began); have < step.least || have > step.most {
				t.Errorf("after %v of calls of %v: want a refusal after %v to %v, have it after %v", step.lasts, step.takes, step.least, step.most, have)
			}
			done(nil)
		}
	})
}

// A call that is let in when its caller has just gone hands its place on.
func TestAPlaceThatComesTooLateGoesToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1)
		for range 200 {
			done := acquire(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan bool, 1)
			go func() {
				done, err := s.Acquire(ctx)
				if left <- err == nil; err == nil {
					done(nil)
				}
			}()
			synctest.Wait()
			order, began := queue(t, s, transport.PriorityDefault), time.Now()
			cancel() // and before that is seen:
			done(nil)
			if <-left {
				t.Fatal("want the context's error")
			}
			if have := order(); len(have) != 1 || time.Since(began) > 0 {
				t.Fatalf("want the next to be let in at once, have %v after %v", have, time.Since(began))
			}
		}
		if have := s.Status(); have.InProgress != 0 || have.Waiting != (loadshed.Classes{}) {
			t.Errorf("want nothing left, have %+v", have)
		}
	})
}
