package loadshed_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// fixed returns a Shedder with a place for n calls, whose queue does not depend on anything measured.
func fixed(t testing.TB, n int, opts ...loadshed.Option) *loadshed.Shedder {
	t.Helper()
	return newShedder(t, append([]loadshed.Option{
		loadshed.FixedLimit(n), loadshed.ProcessorThreshold(0), loadshed.QueueTarget(time.Second), loadshed.QueueInterval(10 * time.Second),
	}, opts...)...)
}

// roomless returns one in which nobody waits.
func roomless(t testing.TB, n int, opts ...loadshed.Option) *loadshed.Shedder {
	t.Helper()
	return newShedder(t, append([]loadshed.Option{loadshed.FixedLimit(n), loadshed.ProcessorThreshold(0), loadshed.QueueRoom(0)}, opts...)...)
}

func acquire(t testing.TB, s *loadshed.Shedder) (done func(error)) {
	t.Helper()
	done, err := s.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// queue makes calls wait, one after the other, and returns in which order they were let in, by their numbers, when the calls before have
// ended.
func queue(t *testing.T, s *loadshed.Shedder, priorities ...transport.Priority) (order func() []int) {
	t.Helper()
	var (
		mu   sync.Mutex
		have []int
		all  sync.WaitGroup
	)
	for i, p := range priorities {
		all.Go(func() {
			done, err := s.Acquire(transport.WithPriority(t.Context(), p))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			have = append(have, i)
			mu.Unlock()
			done(nil)
		})
		synctest.Wait()
	}
	return func() []int {
		all.Wait()
		return have
	}
}

func TestTheOldestOfTheHighestPriorityComesNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1)
		done := acquire(t, s)
		order := queue(t, s, transport.PrioritySheddable, transport.PriorityDefault, transport.PriorityCritical, transport.PrioritySheddable,
			transport.PriorityDefault, transport.PriorityCritical)
		if want, have := (loadshed.Classes{Critical: 2, Default: 2, Sheddable: 2}), s.Status().Waiting; want != have {
			t.Errorf("want %+v waiting, have %+v", want, have)
		}
		done(nil)
		if want, have := []int{2, 5, 1, 4, 0, 3}, order(); !slices.Equal(want, have) {
			t.Errorf("want the order %v, have %v", want, have)
		}
	})
}

func TestUnderOverloadTheNewestComesNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueTarget(10*time.Millisecond), loadshed.QueueInterval(100*time.Millisecond))
		var calls sync.WaitGroup
		stop := make(chan struct{})
		for range 50 { // more than there is room for
			calls.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if done, err := s.Acquire(t.Context()); err == nil {
						time.Sleep(5 * time.Millisecond)
						done(nil)
					} else {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		for since := 0; since < 20; time.Sleep(time.Millisecond) { // a call takes 5 ms
			have := s.Status()
			if have.Overloaded {
				since++
			}
			if since > 10 && have.Delay > 15*time.Millisecond {
				t.Errorf("want those to be sent away who have waited for longer than the target, have %+v", have)
			}
		}
		time.Sleep(time.Second)
		if have := s.Status(); !have.Overloaded || have.Delay > 10*time.Millisecond {
			t.Errorf("want an overload, and nobody to wait for longer than the target, have %+v", have)
		}
		close(stop)
		calls.Wait()
		time.Sleep(time.Second)
		acquire(t, s)(nil)
		time.Sleep(time.Second)
		acquire(t, s)(nil)
		if s.Status().Overloaded {
			t.Error("want the overload to be over")
		}
	})
}

func TestACallWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1)
		done := acquire(t, s)
		began := time.Now()
		_, err := s.Acquire(t.Context())
		if want, have := 10*time.Second, time.Since(began); want != have {
			t.Errorf("want a refusal after %v, have it after %v", want, have)
		}
		refused(t, err, loadshed.ErrLate)
		if have := s.Status(); have.Waiting != (loadshed.Classes{}) || have.Refused.Late.Default != 1 {
			t.Errorf("want nobody waiting, and one refused, have %+v", have)
		}
		done(nil)
	})
}

// refused checks that err is a refusal for that cause.
func refused(t *testing.T, err, cause error) {
	t.Helper()
	e := status.As(err)
	if e == nil || e.Code != status.Unavailable || e.Reason != loadshed.ReasonOverloaded || e.RetryAfter <= 0 {
		t.Fatalf("want an Unavailable that tells when to try again, have %#v", err)
	}
	if !errors.Is(err, loadshed.ErrRefused) || !errors.Is(err, cause) {
		t.Errorf("want %v in it, have %v", cause, err)
	}
}

func TestACallWhoseContextEndsLeavesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1)
		done := acquire(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := s.Acquire(ctx)
			left <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) || errors.Is(err, loadshed.ErrRefused) {
			t.Errorf("want the context's error alone, have %v", err)
		}
		if have := s.Status(); have.Waiting != (loadshed.Classes{}) || have.Refused.Gone.Default != 1 {
			t.Errorf("want nobody waiting, and one gone, have %+v", have)
		}
		done(nil)
		acquire(t, s)(nil)
		if _, err := s.Acquire(ctx); err != nil {
			t.Errorf("want a call to be let in for whom there is room, whatever its context, have %v", err)
		}
	})
}

func TestACallThatWouldBeTooLateIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1)
		for range 100 { // calls take a second
			done := acquire(t, s)
			time.Sleep(time.Second)
			done(nil)
		}
		defer acquire(t, s)(nil)
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := s.Acquire(ctx)
		refused(t, err, loadshed.ErrHopeless)
		if have := time.Since(began); have > 0 {
			t.Errorf("want it at once, have it after %v", have)
		}
	})
}

func TestARefusalForWantOfRoomSparesWhatIsMoreImportant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueRoom(2))
		done := acquire(t, s)
		errs := make(chan error, 1)
		go func() {
			_, err := s.Acquire(transport.WithPriority(t.Context(), transport.PrioritySheddable))
			errs <- err
		}()
		synctest.Wait()
		order := queue(t, s, transport.PriorityDefault, transport.PriorityCritical)
		refused(t, <-errs, loadshed.ErrFull)
		_, err := s.Acquire(t.Context())
		refused(t, err, loadshed.ErrFull)
		done(nil)
		if want, have := []int{1, 0}, order(); !slices.Equal(want, have) {
			t.Errorf("want the order %v, have %v", want, have)
		}
	})
}

func TestDoneTwiceEndsOneCall(t *testing.T) {
	t.Parallel()
	s := fixed(t, 2)
	first, second := acquire(t, s), acquire(t, s)
	first(nil)
	first(nil)
	if want, have := 1, s.Status().InProgress; want != have {
		t.Errorf("want %d in progress, have %d", want, have)
	}
	second(nil)
}

func TestRetryAfterIsSpread(t *testing.T) {
	t.Parallel()
	s := roomless(t, 1, loadshed.RetryAfter(8*time.Second))
	defer acquire(t, s)(nil)
	seen := map[time.Duration]bool{}
	for range 200 {
		_, err := s.Acquire(t.Context())
		after := status.As(err).RetryAfter
		if after < 4*time.Second || after > 12*time.Second {
			t.Fatalf("want from half to one and a half of 8s, have %v", after)
		}
		seen[after] = true
	}
	if want, have := 8, len(seen); have < want {
		t.Errorf("want %d different times or more, have %d", want, have)
	}
}

// A call may wait for as long as it likes, where that is said.
func TestAnEndlessIntervalHasNoOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fixed(t, 1, loadshed.QueueTarget(time.Millisecond), loadshed.QueueInterval(math.MaxInt64))
		time.Sleep(time.Second)
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				done, err := s.Acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(10 * time.Millisecond)
				done(nil)
			})
		}
		time.Sleep(100 * time.Millisecond)
		if have := s.Status(); have.Overloaded {
			t.Errorf("want no overload, have %+v", have)
		}
		calls.Wait()
	})
}
