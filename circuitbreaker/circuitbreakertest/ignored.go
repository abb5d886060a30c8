package circuitbreakertest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

var ignoredChecks = []check{
	{
		name: "IgnoredIsNoFailure", run: ignoredIsNoFailure,
		clause: "Calls that are ignored, by ErrIgnored or an error that wraps it, do not open it.",
	},
	{
		name: "IgnoredIsNoSuccess", run: ignoredIsNoSuccess,
		clause: "Calls that are ignored do not close it.",
	},
	{
		name: "IgnoredHoldsNothing", run: ignoredHoldsNothing,
		clause: "Calls that are ignored hold nothing when they have ended.",
	},
}

// errWrapped is an outcome that is ignored, too.
var errWrapped = fmt.Errorf("the caller has gone: %w", circuitbreaker.ErrIgnored)

func ignored(i int) error {
	if i%2 == 0 {
		return circuitbreaker.ErrIgnored
	}
	return errWrapped
}

func ignoredIsNoFailure(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const calls = 2000
	through, err := s.calls(calls, ignored)
	if err := errors.Join(err, none(through, calls)); err != nil {
		return err
	}
	through, err = s.calls(calls, func(i int) error {
		if i%10 == 0 {
			return nil
		}
		return ignored(i)
	})
	return errors.Join(err, none(through, calls))
}

func ignoredIsNoSuccess(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	if _, err := s.calls(steps(h.Patience, 1), ignored); err != nil {
		return err
	}
	const calls = 100
	through, err := s.calls(calls, all(errFailed))
	if err != nil {
		return err
	}
	if through > openPart(calls) {
		return fmt.Errorf("it was open, all calls were ignored since, and of %d that failed then it let %d through", calls, through)
	}
	return nil
}

func ignoredHoldsNothing(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	for i := range 50 {
		end, err := s.probe(h)
		if err != nil {
			return fmt.Errorf("it was open, and %d calls were ignored since: %w", i, err)
		}
		end(ignored(i))
	}
	return s.heal(h)
}
