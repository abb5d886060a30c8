package sd_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
)

var errAway = errors.New("the registry is away")

// caching returns a Cache of a source, which is closed at the end of the bubble.
func caching(t *testing.T) (*source, *sd.Cache) {
	t.Helper()
	s := newSource()
	c := sd.NewCache(s)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n := s.active.Load(); n != 0 {
			t.Errorf("want no watch after Close, have %d", n)
		}
	})
	return s, c
}

func TestACacheAsksOnceHoweverManyAskIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		synctest.Wait()
		if n := s.begun.Load(); n != 0 {
			t.Errorf("want no watch before the first consumer, have %d", n)
		}
		one, other := follow(t.Context(), c), follow(t.Context(), c)
		s.set("a")
		one.want(t, set("a"))
		other.want(t, set("a"))
		one.cancel()
		other.cancel()
		one.ended(t)
		other.ended(t)
		s.set("b") // with no consumer at all
		synctest.Wait()
		late := follow(t.Context(), c)
		late.want(t, set("b"))
		if n := s.begun.Load(); n != 1 {
			t.Errorf("want one watch, have %d", n)
		}
	})
}

func TestALateConsumerOfACacheGetsWhatHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		first, second, third := errors.New("1"), errors.New("2"), errors.New("3")
		early := follow(t.Context(), c)
		s.fail(first)
		s.fail(second)
		early.want(t, first, second) // each, however fast they come
		follow(t.Context(), c).want(t, second)
		s.set("a")
		early.want(t, set("a"))
		s.set("b")
		early.want(t, set("b"))
		follow(t.Context(), c).want(t, set("b"))
		s.fail(third)
		early.want(t, third)
		follow(t.Context(), c).want(t, set("b"), third)
		s.set("b")
		early.want(t, set("b"))
		follow(t.Context(), c).want(t, set("b"))
	})
}

func TestABusyConsumerOfACacheHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		gate := make(chan struct{})
		slow, fast := followWith(t.Context(), c, gate), follow(t.Context(), c)
		for n := range 10 {
			s.set(fmt.Sprint(n))
			fast.want(t, set(fmt.Sprint(n)))
		}
		slow.want(t, set("0"))
		gate <- struct{}{}
		slow.want(t, set("9"))
		gate <- struct{}{}
		slow.want(t)
		close(gate)
	})
}

func TestABusyConsumerOfACacheMissesNoErrorUpToALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		gate := make(chan struct{})
		slow := followWith(t.Context(), c, gate)
		s.set("a")
		slow.want(t, set("a"))
		var errs []any
		for n := range 20 {
			err := fmt.Errorf("error %d", n)
			errs = append(errs, err)
			s.fail(err)
		}
		s.set("a")
		synctest.Wait()
		close(gate)
		slow.want(t, append(errs[4:], set("a"))...)
	})
}

func TestAConsumerOfACacheGetsNoSetTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		gate := make(chan struct{})
		slow := followWith(t.Context(), c, gate)
		s.set("a")
		slow.want(t, set("a"))
		s.set("b")
		s.set("a")
		synctest.Wait()
		gate <- struct{}{}
		slow.want(t)
		s.set("a")
		slow.want(t)
		s.set("c")
		slow.want(t, set("c"))
		s.fail(errAway)
		s.set("d")
		for n := range 20 { // so many that the one before d is lost
			s.fail(fmt.Errorf("error %d", n))
		}
		s.set("c")
		for range 20 {
			s.fail(errAway)
		}
		synctest.Wait()
		for range 17 {
			gate <- struct{}{}
		}
		slow.want(t, errAway, errAway, errAway, errAway, errAway, errAway, errAway, errAway,
			errAway, errAway, errAway, errAway, errAway, errAway, errAway, errAway)
		close(gate)
	})
}

func TestAClosedCacheSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		var loops []*loop
		for range 10 {
			loops = append(loops, follow(t.Context(), c))
		}
		gate := make(chan struct{})
		busy := followWith(t.Context(), c, gate)
		s.set("a")
		for _, l := range loops {
			l.want(t, set("a"))
		}
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { _ = c.Close() })
		}
		group.Wait()
		for _, l := range loops {
			l.want(t, sd.ErrClosed)
			l.ended(t)
		}
		busy.want(t, set("a"))
		close(gate)
		busy.want(t, sd.ErrClosed)
		busy.ended(t)
		after := follow(t.Context(), c)
		after.want(t, sd.ErrClosed)
		after.ended(t)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		follow(ended, c).want(t)
	})
}

func TestACacheCanBeClosedBeforeAnybodyAsksIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		l := follow(t.Context(), c)
		l.want(t, sd.ErrClosed)
		l.ended(t)
		if n := s.begun.Load(); n != 0 {
			t.Errorf("want no watch, have %d", n)
		}
	})
}

func TestACacheCanBeClosedWhileConsumersCome(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s, c := caching(t)
			s.set("a")
			var group sync.WaitGroup
			for n := range 20 {
				group.Go(func() {
					if n%5 == 0 {
						_ = c.Close()
						return
					}
					var last error
					for _, err := range c.Watch(t.Context()) {
						last = err
					}
					if !errors.Is(last, sd.ErrClosed) {
						t.Errorf("want %v at last, have %v", sd.ErrClosed, last)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestACacheCanBeClosedInALoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		s.set("a")
		var have []error
		for _, err := range c.Watch(t.Context()) {
			have = append(have, err)
			_ = c.Close()
		}
		if len(have) != 2 || have[0] != nil || !errors.Is(have[1], sd.ErrClosed) {
			t.Errorf("want a set and then %v, have %v", sd.ErrClosed, have)
		}
	})
}

func TestALoopOverACacheCanBeLeftAndBegunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := caching(t)
		s.set("a")
		watch := c.Watch(t.Context())
		for range 3 {
			for have, err := range watch {
				if err != nil || !sd.Same(set("a"), have) {
					t.Errorf("have %v, %v", have, err)
				}
				break
			}
		}
	})
}

func TestACacheOfNothingPanics(t *testing.T) {
	t.Parallel()
	panics(t, "nil", func() { sd.NewCache(nil) })
}
