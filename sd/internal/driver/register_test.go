package driver_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// scripted is a Registration by functions.
type scripted struct {
	hold    func(ctx context.Context, held func()) error
	remove  func(ctx context.Context) error
	holds   int
	removes int
	busy    bool
}

func (s *scripted) enter() func() {
	if s.busy { // and the race detector sees it, too
		panic("two calls at a time")
	}
	s.busy = true
	return func() { s.busy = false }
}

func (s *scripted) Hold(ctx context.Context, held func()) error {
	defer s.enter()()
	s.holds++
	if s.hold != nil {
		return s.hold(ctx, held)
	}
	held()
	<-ctx.Done()
	return ctx.Err()
}

func (s *scripted) Remove(ctx context.Context) error {
	defer s.enter()()
	s.removes++
	if s.remove != nil {
		return s.remove(ctx)
	}
	return nil
}

func TestRegisterFails(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, row := range map[string]struct {
		hold  func(ctx context.Context, held func()) error
		want  error
		text  string
		after time.Duration
	}{
		"refused":  {func(context.Context, func()) error { return refused }, refused, "refused", 0},
		"not kept": {func(context.Context, func()) error { return nil }, nil, "has not kept", 0},
		"hanging": {func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		}, nil, "within 10s", driver.RegisterLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{hold: row.hold}
				begun := time.Now()
				deregister, err := driver.Register(t.Context(), s, nil)
				if deregister != nil || err == nil || !strings.Contains(err.Error(), row.text) || row.want != nil && !errors.Is(err, row.want) {
					t.Errorf("want %v, have %v", row.text, err)
				}
				if have := time.Since(begun); row.after != have {
					t.Errorf("want an answer after %v, have it after %v", row.after, have)
				}
				if s.holds != 1 || s.removes != 1 {
					t.Errorf("want it tried once and taken out once, have %d and %d", s.holds, s.removes)
				}
			})
		})
	}
}

func TestRegisterWithAnEndedContextTouchesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &scripted{} // its Remove would take out what another has registered
	if deregister, err := driver.Register(ctx, s, nil); deregister != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, have %v", context.Canceled, err)
	}
	if s.holds != 0 || s.removes != 0 {
		t.Errorf("want no call, have %d and %d", s.holds, s.removes)
	}
}

func TestTheEndOfItsContextEndsRegister(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &scripted{hold: func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			return errors.New("the call was broken off")
		}}
		begun := time.Now()
		if _, err := driver.Register(ctx, s, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want %v, have %v", context.DeadlineExceeded, err)
		}
		if have := time.Since(begun); have != time.Second || s.removes != 1 {
			t.Errorf("want an answer after 1s and one Remove, have them after %v and %d", have, s.removes)
		}
	})
}

func TestADeadlineIsTheErrorOfRegister(t *testing.T) {
	t.Parallel()
	for range 100 { // whether the context or the call hears of it first is chance
		synctest.Test(t, func(t *testing.T) {
			deadline := time.Now().Add(time.Second)
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			defer cancel()
			s := &scripted{hold: func(context.Context, func()) error {
				time.Sleep(time.Until(deadline))
				return errors.New("i/o timeout")
			}}
			if _, err := driver.Register(ctx, s, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("want %v, have %v", context.DeadlineExceeded, err)
			}
		})
	}
}

func TestARegistrationThatIsLostIsMadeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("lost")
		var times []time.Time
		s := &scripted{}
		s.hold = func(ctx context.Context, held func()) error {
			times = append(times, time.Now())
			if s.holds < 6 {
				held()
			}
			if s.holds == 4 { // it was there for a while
				time.Sleep(time.Minute)
			}
			switch {
			case s.holds >= 7:
				<-ctx.Done()
				return nil
			case s.holds == 5:
				return nil // it may have been lost
			}
			return lost
		}
		var reports []error
		deregister, err := driver.Register(t.Context(), s, []func(error){func(err error) { reports = append(reports, err) }})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s.holds != 7 || len(reports) != 5 || !errors.Is(reports[0], lost) {
			t.Errorf("want 7 attempts and 5 reports, have %d and %v", s.holds, reports)
		}
		most := []time.Duration{100, 200, 400, 60_100, 200, 400} // milliseconds
		for n, most := range most {
			most *= time.Millisecond
			if have := times[n+1].Sub(times[n]); have > most || have < most/2 {
				t.Errorf("want attempt %d within half to all of %v, have it after %v", n+2, most, have)
			}
		}
		if err := deregister(t.Context()); err != nil || s.removes != 1 {
			t.Errorf("want it taken out once, have %d, %v", s.removes, err)
		}
	})
}

func TestTheEndOfTheContextTakesTheInstanceOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &scripted{remove: func(ctx context.Context) error { return ctx.Err() }} // which has not ended
		deregister, err := driver.Register(ctx, s, []func(error){func(err error) { t.Error(err) }})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if s.removes != 1 {
			t.Errorf("want it taken out, have %d", s.removes)
		}
		for range 3 {
			if err := deregister(ctx); err != nil { // it is out, whatever ctx is
				t.Error(err)
			}
		}
		if s.removes != 1 {
			t.Errorf("want it taken out once, have %d", s.removes)
		}
	})
}

func TestDeregisterMayBeCalledByManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{remove: func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}}
		deregister, err := driver.Register(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		begun := time.Now()
		for range 10 {
			group.Go(func() {
				if err := deregister(t.Context()); err != nil || time.Since(begun) != time.Second {
					t.Errorf("want nil after 1s, have %v after %v", err, time.Since(begun))
				}
			})
		}
		group.Wait()
		if s.removes != 1 {
			t.Errorf("want it taken out once, have %d", s.removes)
		}
	})
}

func TestTheContextOfDeregisterLimitsTheWaitOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, takes := range []time.Duration{0, 3 * time.Second} {
			s := &scripted{remove: func(ctx context.Context) error {
				time.Sleep(takes)
				return ctx.Err()
			}}
			deregister, err := driver.Register(t.Context(), s, []func(error){func(err error) { t.Error(err) }})
			if err != nil {
				t.Fatal(err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := deregister(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("want %v, have %v", context.Canceled, err)
			}
			if err := deregister(t.Context()); err != nil || s.removes != 1 {
				t.Errorf("again: want it taken out, have %d, %v", s.removes, err)
			}
		}
	})
}

func TestARegistryThatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hanging := errors.New("the call was broken off")
		s := &scripted{remove: func(ctx context.Context) error {
			<-ctx.Done()
			return hanging
		}}
		deregister, err := driver.Register(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := deregister(t.Context()); err == nil {
			t.Error("want an error, have none")
		}
		if want, have := driver.RemoveLimit, time.Since(begun); want != have {
			t.Errorf("want an answer after %v, have it after %v", want, have)
		}
		time.Sleep(2 * driver.RemoveFor)
		synctest.Wait() // the bubble would not end if it were tried for ever
		if err := deregister(t.Context()); !errors.Is(err, hanging) {
			t.Errorf("want %v, have %v", hanging, err)
		}
	})
}

func TestCheckReturnsTheInstanceInItsNormalForm(t *testing.T) {
	t.Parallel()
	have, err := driver.Check(sd.Instance{Address: "a:1", Tags: []string{"y", "x", "y"}, Metadata: map[string]string{}})
	if want := (sd.Instance{ID: "a:1", Address: "a:1", Tags: []string{"x", "y"}}); err != nil || !want.Equal(have) || have.Metadata != nil {
		t.Errorf("want %v, have %v, %v", want, have, err)
	}
	if _, err := driver.Check(sd.Instance{}); err == nil || err.Error() != "sd: register: the address is missing" {
		t.Errorf("have %v", err)
	}
}
