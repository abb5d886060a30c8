package lb_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// errWithheld is what a breaker in front of an instance says.
var errWithheld = status.New(status.Unavailable, "it is open").WithRetryAfter(time.Second).WithCause(transport.ErrWithheld)

func TestAnInstanceWhoseCallsAreWithheldIsNotToBlame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open bool
		f := &fleet{serve: func(_ context.Context, h *host, request int) (int, error) {
			if open && h.name != "d" {
				return 0, errWithheld
			}
			return request, nil
		}}
		var events []lb.Event
		p := fleetPool(t, f, []string{"a", "b", "c", "d"}, lb.PoolEvents(func(e lb.Event) { events = append(events, e) }))
		synctest.Wait()
		events = nil
		write := fleetEndpoint(t, writeSpec, p)
		open = true
		began := time.Now()
		for range 100 {
			if have, err := write(t.Context(), 1); have != 1 || err != nil {
				t.Fatalf("want it from the instance whose calls are let through, have %v", err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("want no wait for those that are withheld, have %v", took)
		}
		synctest.Wait()
		if len(events) != 0 {
			t.Errorf("want none ejected, and none dialled anew, have %v", events)
		}
		for _, s := range p.Instances() {
			if s.Failed != 0 || s.InFlight != 0 {
				t.Errorf("%s: want no failures, and none in flight, have %+v", s.Instance.ID, s)
			}
		}
	})
}

func TestWhenAllAreWithheldTheCallFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(errWithheld)
		p := fleetPool(t, f, []string{"a", "b", "c", "d", "e"})
		began := time.Now()
		_, err := fleetEndpoint(t, readSpec, p)(t.Context(), 1)
		if !errors.Is(err, transport.ErrWithheld) || status.CodeOf(err) != status.Unavailable || status.As(err).RetryAfter != time.Second {
			t.Errorf("want the error of the last, have %v", err)
		}
		all := f.called()
		slices.Sort(all)
		if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(want, all) {
			t.Errorf("want each asked once, have %v", all)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("want no wait, have %v", took)
		}
	})
}

func TestACallThatFailedAndThenWasWithheldMayHaveBeenServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleetPool(t, script(errBroken, errWithheld), []string{"a", "b"})
		_, err := fleetEndpoint(t, readSpec, p)(t.Context(), 1)
		if errors.Is(err, transport.ErrWithheld) || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("want it not to say that it was withheld, have %v", err)
		}
	})
}

// Calls that did not reach it are no successes of an instance: of those that did, as many fail as before.
func TestWithheldCallsDoNotImproveARate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectAfter(0))
		y.set(instances(6)...)
		made := 0
		y.calls(6*2000, func(id string) error {
			if id != "00000000" {
				return nil
			}
			made++
			switch {
			case made%10 != 0: // nine of ten are withheld, and of the others half fail
				return errWithheld
			case made%20 == 0:
				return errBroken
			}
			return nil
		})
		<-time.After(10 * time.Second)
		synctest.Wait()
		if have := y.pool.Instances()[0].State; have != lb.Out {
			t.Errorf("want it out, of whose calls that were made half failed, have %v", have)
		}
	})
}

// In an outage of hundreds of instances, each with a breaker that is open, a call must not ask them all.
func TestACallThatManyWithholdFailsSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.set(instances(500)...)
		asked := 0
		call := yardEndpoint(t, y, func(*stone) error {
			asked++
			return errWithheld
		})
		if _, err := call(t.Context(), 1); !errors.Is(err, transport.ErrWithheld) || asked != 30 {
			t.Errorf("want it withheld by 30, have %v, by %d", err, asked)
		}
	})
}
