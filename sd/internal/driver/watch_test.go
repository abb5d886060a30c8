package driver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// addressed returns instances with these addresses.
func addressed(addresses ...string) []sd.Instance {
	all := make([]sd.Instance, len(addresses))
	for n, a := range addresses {
		all[n].Address = a
	}
	return all
}

// turns returns up to most turns of a loop over a watch by read, as texts.
func turns(ctx context.Context, read driver.Read, most int) (all []string) {
	for set, err := range driver.Watch(ctx, read) {
		if err != nil {
			all = append(all, err.Error())
		} else {
			all = append(all, fmt.Sprint(set))
		}
		if len(all) == most {
			break
		}
	}
	return all
}

func TestAWatchYieldsEachSetThatDiffers(t *testing.T) {
	t.Parallel()
	have := turns(t.Context(), func(_ context.Context, feed *driver.Feed) error {
		for _, set := range [][]sd.Instance{nil, nil, addressed("b", "a"), addressed("a", "b"), addressed("b", "a", "b"), addressed("b"), nil, addressed("c")} {
			if !feed.Set(set) {
				t.Error("want it to go on")
			}
		}
		feed.Set(addressed("d"))
		return nil
	}, 6)
	if want := []string{"[]", "[a b]", "[b]", "[]", "[c]", "[d]"}; !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestTheSetAfterAnErrorIsYieldedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		have := turns(t.Context(), func(_ context.Context, feed *driver.Feed) error {
			if n++; n == 3 || n == 5 { // it is called again without an error, and nothing is new
				feed.Set(addressed("a"))
				return nil
			}
			feed.Set(addressed("a"))
			feed.Set(addressed("a"))
			return fmt.Errorf("error %d", n)
		}, 7)
		if want := []string{"[a]", "error 1", "[a]", "error 2", "[a]", "error 4", "[a]"}; !slices.Equal(want, have) {
			t.Errorf("want %q, have %q", want, have)
		}
	})
}

func TestAnInvalidEntryIsSaidToBeOnceUntilItChanges(t *testing.T) {
	t.Parallel()
	x := func(text string) *sd.InvalidError { return &sd.InvalidError{Entry: "x", Err: errors.New(text)} }
	y := &sd.InvalidError{Entry: "y", Err: errors.New("bad")}
	have := turns(t.Context(), func(_ context.Context, feed *driver.Feed) error {
		feed.Set(addressed("a"), x("bad"))
		feed.Set(addressed("a"), x("bad"))
		feed.Set(addressed("a"), y, x("bad"))
		feed.Set(addressed("a"), x("worse"))
		feed.Set(addressed("a"))
		feed.Set(addressed("a"), x("worse"))
		feed.Set(addressed("b"), x("worse"))
		return nil
	}, 9)
	want := []string{
		`sd: entry "x": bad`, "[a]", `sd: entry "y": bad`, "[a]", `sd: entry "x": worse`, "[a]", `sd: entry "x": worse`, "[a]", "[b]",
	}
	if !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestOfInstancesWithOneAddressThatWithTheLowestIDRemainsAndOfThoseWithOneIDTheFirst(t *testing.T) {
	t.Parallel()
	one, two, other := sd.Instance{ID: "1", Address: "a"}, sd.Instance{ID: "2", Address: "a"}, sd.Instance{ID: "1", Address: "b"}
	for _, row := range []struct {
		given []sd.Instance
		want  string
	}{
		{[]sd.Instance{one, two}, "[1@a]"},
		{[]sd.Instance{two, one}, "[1@a]"},
		{[]sd.Instance{one, other, two}, "[1@a]"},
		{[]sd.Instance{two, one, other}, "[1@a]"},
		{[]sd.Instance{other, two, one}, "[1@b 2@a]"},
		{[]sd.Instance{two, other, one}, "[1@b 2@a]"},
	} {
		given := row.given
		before := slices.Clone(given)
		have := turns(t.Context(), func(_ context.Context, feed *driver.Feed) error {
			feed.Set(given)
			return nil
		}, 1)
		if want := []string{row.want}; !slices.Equal(want, have) || !sd.Same(before, given) {
			t.Errorf("%v: want %q and no change, have %q and %v", before, want, have, given)
		}
	}
}

// delays returns how long a watch by read waits before each of the next calls of it.
func delays(t *testing.T, calls int, lasts time.Duration, result func(feed *driver.Feed) error) (all []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ended time.Time
	for range driver.Watch(ctx, func(_ context.Context, feed *driver.Feed) error {
		if !ended.IsZero() {
			all = append(all, time.Since(ended))
		}
		if len(all) == calls {
			cancel()
			return nil
		}
		<-time.After(lasts)
		ended = time.Now()
		return result(feed)
	}) {
	}
	return all
}

func TestAReadIsRepeatedWithGrowingDelays(t *testing.T) {
	t.Parallel()
	failed := errors.New("no")
	growing := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond,
		3 * time.Second, 3 * time.Second, 3 * time.Second,
	}
	first := slices.Repeat(growing[:1], len(growing))
	for name, row := range map[string]struct {
		lasts  time.Duration
		result func(feed *driver.Feed) error
		want   []time.Duration // at most; at least half of that
	}{
		"fails":              {0, func(*driver.Feed) error { return failed }, growing},
		"fails after a set":  {0, func(feed *driver.Feed) error { feed.Set(nil); return failed }, growing},
		"fails after a time": {4 * time.Second, func(*driver.Feed) error { return failed }, first},
		"ends":               {0, func(*driver.Feed) error { return nil }, growing},
		"ends after a set":   {0, func(feed *driver.Feed) error { feed.Set(nil); return nil }, first},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				have := delays(t, len(row.want), row.lasts, row.result)
				for n, most := range row.want {
					if n >= len(have) || have[n] > most || have[n] < most/2 {
						t.Fatalf("want half to all of %v, have %v", row.want, have)
					}
				}
			})
		})
	}
}

func TestALoopThatIsLeftAsksNoMore(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]driver.Read{
		"at a set": func(_ context.Context, feed *driver.Feed) error {
			if feed.Set(addressed("a")) || feed.Set(addressed("b")) {
				t.Error("want it to end")
			}
			return errors.New("too late")
		},
		"at an entry": func(_ context.Context, feed *driver.Feed) error {
			if feed.Set(addressed("a"), &sd.InvalidError{Entry: "x", Err: errors.New("bad")}, &sd.InvalidError{Entry: "y", Err: errors.New("bad")}) {
				t.Error("want it to end")
			}
			return nil
		},
		"at an error": func(_ context.Context, _ *driver.Feed) error { return errors.New("no") },
	} {
		calls := 0
		var given context.Context
		have := turns(t.Context(), func(ctx context.Context, feed *driver.Feed) error {
			calls++
			given = ctx
			return read(ctx, feed)
		}, 1)
		if calls != 1 || len(have) != 1 {
			t.Errorf("%s: want one call and one turn, have %d and %q", name, calls, have)
		}
		if given.Err() == nil {
			t.Errorf("%s: want an end of the context of the Read", name)
		}
	}
}

func TestALoopEndsWithItsContextAndWithoutAnError(t *testing.T) {
	t.Parallel()
	for name, ending := range map[string]func(cancel func(), feed *driver.Feed) error{
		"before a set": func(cancel func(), feed *driver.Feed) error {
			cancel()
			if feed.Set(addressed("a"), &sd.InvalidError{Entry: "x", Err: errors.New("bad")}) || feed.Set(addressed("a")) {
				t.Error("want it to end")
			}
			return nil
		},
		"with an error": func(cancel func(), _ *driver.Feed) error {
			cancel()
			return context.Canceled
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		have := turns(ctx, func(_ context.Context, feed *driver.Feed) error { return ending(cancel, feed) }, -1)
		if len(have) > 0 {
			t.Errorf("%s: want nothing, have %q", name, have)
		}
		if again := turns(ctx, func(context.Context, *driver.Feed) error {
			t.Error("it is asked")
			return nil
		}, -1); len(again) > 0 {
			t.Errorf("%s: again: want nothing, have %q", name, again)
		}
	}
}

func TestWhatADeadlineBreaksOffIsNoError(t *testing.T) {
	t.Parallel()
	for range 100 { // whether the context or the call hears of it first is chance
		synctest.Test(t, func(t *testing.T) {
			deadline := time.Now().Add(time.Second)
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			defer cancel()
			have := turns(ctx, func(context.Context, *driver.Feed) error {
				time.Sleep(time.Until(deadline)) // as a connection does that has the deadline of the context
				return errors.New("i/o timeout")
			}, -1)
			if len(have) > 0 || ctx.Err() == nil {
				t.Errorf("want nothing, and that ctx has ended, have %q and %v", have, ctx.Err())
			}
		})
	}
}

func TestALoopEndsWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		turns(ctx, func(context.Context, *driver.Feed) error { return errors.New("no") }, -1)
		if want, have := 5*time.Second, time.Since(begun); want != have {
			t.Errorf("want an end after %v, have it after %v", want, have)
		}
	})
}

func TestASetInATurnThatEndsTheContextIsTheLast(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var have []bool
	for range driver.Watch(ctx, func(_ context.Context, feed *driver.Feed) error {
		have = append(have, feed.Set(addressed("a")), feed.Set(addressed("b")))
		return errors.New("no")
	}) {
		cancel()
	}
	if want := []bool{false, false}; !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}
