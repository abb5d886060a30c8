package overload_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/internal/overload"
)

var errRefused = errors.New("refused")

// drive runs the phases against a service of 400 calls a second whose callers wait half a second.
func drive(t *testing.T, admit func() bool, phases ...overload.Phase) (*overload.Load, []overload.Call) {
	t.Helper()
	service := overload.NewService(16, 40*time.Millisecond)
	defer service.Close()
	load := &overload.Load{
		Phases: phases, Timeout: time.Second / 2, Seed: 1,
		Refused: func(err error) bool { return errors.Is(err, errRefused) },
		Call: func(ctx context.Context) error {
			if !admit() {
				return errRefused
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				service.Work()
			}()
			select {
			case <-done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	calls, err := load.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return load, calls
}

func always() bool { return true }

func TestAServiceServesWhatItCan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		load, calls := drive(t, always, overload.Phase{Rate: 320, For: 10 * time.Second})
		have := overload.Summarize(load.InPhase(calls, 0, 0), 10*time.Second)
		if have.Offered < 300 || have.Offered > 340 || have.Goodput != have.Offered {
			t.Errorf("want about 320 calls a second, all of them served, have %+v", have)
		}
		if have.P50 < 40*time.Millisecond || have.P50 > 60*time.Millisecond || have.P99 < have.P50 || have.P99 > 200*time.Millisecond {
			t.Errorf("want calls to take 40 ms and a little more, have %+v", have)
		}
	})
}

func TestAServiceCollapsesUnderTwiceItsLoadAndLongAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		load, calls := drive(t, always, overload.Phase{Rate: 800, For: 10 * time.Second}, overload.Phase{Rate: 320, For: 10 * time.Second})
		for phase := range load.Phases {
			have := overload.Summarize(load.InPhase(calls, phase, 2*time.Second), 8*time.Second)
			if have.Goodput != 0 || have.Late != 1 {
				t.Errorf("phase %d: want all answers to be late, have %+v", phase, have)
			}
		}
	})
}

func TestTheRefusedAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		load, calls := drive(t, func() bool { return n.Add(1)%4 == 0 }, overload.Phase{Rate: 400, For: 4 * time.Second})
		have := overload.Summarize(calls, 4*time.Second)
		if have.Refused < 0.74 || have.Refused > 0.76 || have.Goodput < 90 || have.Goodput > 110 || have.Late != 0 || have.Failed != 0 {
			t.Errorf("want one in four of 400 calls a second to be served, have %+v", have)
		}
		series := load.Series(calls, time.Second)
		if len(series) != 4 {
			t.Fatalf("want 4 steps, have %d", len(series))
		}
		sum := 0.0
		for _, s := range series {
			sum += s.Offered
		}
		if want, have := float64(len(calls)), sum; want != have {
			t.Errorf("want %v calls in all steps, have %v", want, have)
		}
	})
}

func TestAnErrorOfAnotherKindIsAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		load := &overload.Load{
			Phases: []overload.Phase{{Rate: 10, For: time.Second}}, Timeout: time.Second, Refused: func(error) bool { return false },
			Call: func(context.Context) error { return errRefused },
		}
		calls, err := load.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if have := overload.Summarize(calls, time.Second); have.Failed != 1 || have.Goodput != 0 || have.P99 != 0 {
			t.Errorf("want all to fail, have %+v", have)
		}
	})
}

func TestALoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		load := &overload.Load{
			Phases: []overload.Phase{{Rate: 0.001, For: time.Hour}}, Timeout: time.Second,
			Call: func(context.Context) error { return nil }, Refused: func(error) bool { return false },
		}
		began := time.Now()
		if _, err := load.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("want it to end with its context after a second, have %v after %v", err, time.Since(began))
		}
	})
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	call, refused := func(context.Context) error { return nil }, func(error) bool { return false }
	good := []overload.Phase{{Rate: 1, For: time.Second}}
	for want, load := range map[string]*overload.Load{
		"needs Phases": {Timeout: 1, Call: call, Refused: refused},
		"a Timeout":    {Phases: good, Call: call, Refused: refused},
		"Call and":     {Phases: good, Timeout: 1, Refused: refused},
		"and Refused":  {Phases: good, Timeout: 1, Call: call},
		"phase 1: want a rate": {
			Phases: []overload.Phase{good[0], {For: time.Second}}, Timeout: 1, Call: call, Refused: refused,
		},
		"have 1/s for 0s": {Phases: []overload.Phase{{Rate: 1}}, Timeout: 1, Call: call, Refused: refused},
	} {
		if _, err := load.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestQuantilesAreTheSmallestThatSoManyDoNotExceed(t *testing.T) {
	t.Parallel()
	for n, want := range map[int][2]time.Duration{1: {1, 1}, 2: {1, 2}, 3: {2, 3}, 100: {50, 99}, 200: {100, 198}} {
		var calls []overload.Call
		for i := range n {
			calls = append(calls, overload.Call{Took: time.Duration(n - i)})
		}
		if s := overload.Summarize(calls, time.Second); want != [2]time.Duration{s.P50, s.P99} {
			t.Errorf("of %d: want %v, have %v and %v", n, want, s.P50, s.P99)
		}
	}
}
