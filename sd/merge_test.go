package sd_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
)

// merging returns a loop over the Merge of two sources, which is ended with the bubble.
func merging(t *testing.T) (one, other *source, l *loop) {
	t.Helper()
	one, other = newSource(), newSource()
	l = follow(t.Context(), sd.Merge(one, other))
	t.Cleanup(func() {
		l.cancel()
		l.ended(t)
		if a, b := one.active.Load(), other.active.Load(); a != 0 || b != 0 {
			t.Errorf("want no watch after the loop, have %d and %d", a, b)
		}
	})
	return one, other, l
}

func TestAMergeHasTheInstancesOfAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other, l := merging(t)
		one.set("a", "c")
		l.want(t, set("a", "c"))
		other.set("b")
		l.want(t, set("a", "b", "c"))
		one.set("c")
		l.want(t, set("b", "c"))
		other.set("b", "c") // which is there
		l.want(t)
	})
}

func TestTheEarlierOfAMergeHasPrecedence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other, l := merging(t)
		instances := func(zone string) []sd.Instance {
			return []sd.Instance{{ID: "1", Address: "a", Zone: zone}, {ID: zone, Address: "b", Zone: zone}}
		}
		other.turns <- turn{set: instances("late")}
		l.want(t, instances("late"))
		one.turns <- turn{set: instances("early")}
		l.want(t, instances("early"))
		one.set()
		l.want(t, instances("late"))
	})
}

func TestWhatFailsInAMergeKeepsItsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other, l := merging(t)
		one.set("a")
		l.want(t, set("a"))
		other.set("b")
		l.want(t, set("a", "b"))
		one.fail(errAway)
		l.want(t, errAway)
		one.fail(errAway)
		l.want(t, errAway)
		other.set("b", "c")
		l.want(t, set("a", "b", "c"))
		one.set("a") // it is back, and the set after the error was yielded
		l.want(t)
		one.fail(errAway)
		l.want(t, errAway)
		one.set("a") // it is back, and nothing else was yielded
		l.want(t, set("a", "b", "c"))
		one.set("a")
		l.want(t)
	})
}

func TestAMergeIsNotEmptyBecauseOneFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other, l := merging(t)
		one.fail(errAway)
		l.want(t, errAway)
		other.set()
		l.want(t)
		other.set("b")
		l.want(t, set("b"))
		other.set()
		l.want(t) // b stays in force
		one.set()
		l.want(t, set())
		one.set()
		l.want(t)
		one.set("a")
		l.want(t, set("a"))
	})
}

func TestAMergePassesOnEachError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other := newSource(), newSource()
		first, second := &sd.InvalidError{Entry: "1", Err: errAway}, &sd.InvalidError{Entry: "2", Err: errAway}
		gate := make(chan struct{})
		l := followWith(t.Context(), sd.Merge(one, other), gate)
		one.set("a")
		l.want(t, set("a"))
		one.fail(first)
		one.fail(second)
		one.set("a", "b")
		synctest.Wait()
		close(gate)
		l.want(t, first, second, set("a", "b"))
	})
}

func TestAMergeGoesOnWithoutOneThatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, rest := newSource(), newSource()
		cache := sd.NewCache(s)
		l := follow(t.Context(), sd.Merge(cache, rest))
		s.set("a")
		l.want(t, set("a"))
		_ = cache.Close()
		l.want(t, sd.ErrClosed)
		rest.set("b")
		l.want(t, set("a", "b"))
	})
}

func TestAMergeCanBeLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, other := newSource(), newSource()
		merged := sd.Merge(one, other).Watch(t.Context())
		for n := range 3 { // each loop has watches of its own
			one.set("a")
			for have, err := range merged {
				if err != nil || !sd.Same(set("a"), have) {
					t.Errorf("have %v, %v", have, err)
				}
				break
			}
			if a, b := one.active.Load(), other.active.Load(); a != 0 || b != 0 {
				t.Errorf("loop %d: want no watch after it, have %d and %d", n, a, b)
			}
		}
	})
}

func TestAMergeWithAnEndedContextAsksNobody(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newSource()
	for have, err := range sd.Merge(s).Watch(ctx) {
		t.Errorf("have %v, %v", have, err)
	}
	if n := s.begun.Load(); n != 0 {
		t.Errorf("want no watch, have %d", n)
	}
}

func TestAMergeOfNoneIsEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		follow(t.Context(), sd.Merge()).want(t, set())
	})
}

func TestAMergeWithNilPanics(t *testing.T) {
	t.Parallel()
	panics(t, "nil", func() { sd.Merge(newSource(), nil) })
}
