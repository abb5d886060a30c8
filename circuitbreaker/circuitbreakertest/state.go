package circuitbreakertest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

var stateChecks = []check{
	{
		name: "New", run: newIsClosed,
		clause: "A new breaker lets calls through, with a done and a nil error.",
	},
	{
		name: "Successes", run: successes,
		clause: "Calls that succeed do not open it.",
	},
	{
		name: "RareFailures", run: rareFailures,
		clause: "One failure among many successes does not open it.",
	},
	{
		name: "Opens", run: opens,
		clause: "While all calls fail it comes to refuse nearly all of them.",
	},
	{
		name: "Refusal", run: refusal,
		clause: "A refusal is a nil done and an error that is ErrOpen, with an *OpenError where it is known when to come back.",
	},
	{
		name: "Probes", run: probes,
		clause: "While all calls fail it lets one through from time to time.",
	},
	{
		name: "FewProbes", run: fewProbes,
		clause: "An open breaker lets few calls through, however many come at the same time.",
	},
	{
		name: "Closes", run: closes,
		clause: "When those that are let through succeed, so do all others soon.",
	},
	{
		name: "OpensAgain", run: opensAgain,
		clause: "It opens and closes any number of times.",
	},
	{
		name: "LateDone", run: lateDone,
		clause: "Done may be called long after Allow, when the breaker is in another state, and on any goroutine.",
	},
}

func newIsClosed(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	end, refusal, wrong := s.begin()
	if wrong != nil || refusal != nil {
		return errors.Join(wrong, refusal)
	}
	end(nil)
	return nil
}

// none returns an error if not all of the calls were let through.
func none(through, calls int) error {
	if through != calls {
		return fmt.Errorf("of %d calls it has refused %d", calls, calls-through)
	}
	return nil
}

func successes(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const calls = 10_000
	through, err := s.calls(calls, all(nil))
	return errors.Join(err, none(through, calls))
}

func rareFailures(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const calls, rare = 10_000, 20
	through, err := s.calls(calls, func(i int) error {
		if i%rare == rare-1 {
			return errFailed
		}
		return nil
	})
	return errors.Join(err, none(through, calls))
}

func opens(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	return s.open(h)
}

// opened returns a subject that is open.
func (h *Harness) opened() (*subject, error) {
	s, err := h.subject()
	if err != nil {
		return nil, err
	}
	return s, s.open(h)
}

func refusal(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	for range 1000 {
		end, refusal, wrong := s.begin()
		switch {
		case wrong != nil:
			return wrong
		case refusal == nil:
			end(errFailed)
			continue
		}
		known, ok := errors.AsType[*circuitbreaker.OpenError](refusal)
		if !ok {
			return nil // it is not known when to come back
		}
		if known.RetryAfter < 0 || known.RetryAfter > h.Patience {
			return fmt.Errorf("it says to come back after %v; want 0 to %v", known.RetryAfter, h.Patience)
		}
		pass(pace)
	}
	return nil
}

func probes(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	for range 3 {
		end, err := s.probe(h)
		if err != nil {
			return err
		}
		end(errFailed)
	}
	return nil
}

func fewProbes(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	const together, few = 1000, 10
	for range steps(h.Patience, 100) {
		var ends []func(error)
		for range together {
			end, refusal, wrong := s.begin()
			if wrong != nil {
				return wrong
			}
			if refusal == nil {
				ends = append(ends, end)
			}
		}
		if len(ends) > few {
			return fmt.Errorf("it is open, and of %d calls at the same time it lets %d through", together, len(ends))
		}
		for _, end := range ends {
			end(errFailed)
		}
		pass(100 * pace)
	}
	return nil
}

func closes(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	return s.heal(h)
}

func opensAgain(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	for range 3 {
		if err := s.heal(h); err != nil {
			return err
		}
		if err := s.open(h); err != nil {
			return fmt.Errorf("when it was open before: %w", err)
		}
	}
	return nil
}

func lateDone(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	var ends []func(error)
	for range 20 {
		end, refusal, wrong := s.begin()
		if wrong != nil || refusal != nil {
			return errors.Join(wrong, refusal)
		}
		ends = append(ends, end)
	}
	if err := s.open(h); err != nil {
		return err
	}
	pass(h.Patience)
	if err := s.heal(h); err != nil {
		return err
	}
	over := make(chan error)
	for i, end := range ends {
		go func() {
			defer func() { over <- panicked(recover()) }()
			end([]error{nil, errFailed}[i%2])
		}()
		if err := <-over; err != nil {
			return err
		}
	}
	return s.heal(h)
}

func panicked(v any) error {
	if v != nil {
		return fmt.Errorf("panic: %v", v)
	}
	return nil
}
