package circuitbreakertest

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

var policyChecks = []check{
	{
		name: "Independent", run: independent,
		clause: "A breaker shares nothing with others of the same policy.",
	},
	{
		name: "Changes", run: changes,
		clause: "Changed is called at each change of the state, in their order, the first from Closed.",
	},
	{
		name: "Nobody", run: nobody,
		clause: "A policy makes breakers also for nobody who is to be told of changes.",
	},
	{
		name: "Report", run: report,
		clause: "The report says the state that was told last, counts what has ended of late, and has a drop ratio from 0 to 1.",
	},
	{
		name: "Concurrent", run: concurrent,
		clause: "A breaker is safe for concurrent use.",
	},
}

func independent(_ *testing.T, h *Harness) error {
	_, err := h.opened()
	if err != nil {
		return err
	}
	other, err := h.subject()
	if err != nil {
		return err
	}
	if _, err := h.opened(); err != nil {
		return err
	}
	const calls = 100
	through, err := other.calls(calls, all(nil))
	if err := errors.Join(err, none(through, calls)); err != nil {
		return fmt.Errorf("another is open: %w", err)
	}
	return nil
}

func changes(_ *testing.T, h *Harness) error {
	s, err := h.opened()
	if err != nil {
		return err
	}
	if err := s.settle(h); err != nil {
		return err
	}
	if err := s.chain(); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.changes, func(c change) bool { return c.to == circuitbreaker.Open }) || s.told() != circuitbreaker.Closed {
		return fmt.Errorf("it has opened and closed, and told %v", s.changes)
	}
	return nil
}

// settle makes calls succeed until none is refused, and some more.
func (s *subject) settle(h *Harness) error {
	if err := s.heal(h); err != nil {
		return err
	}
	for range steps(h.Patience, 1) {
		if s.told() == circuitbreaker.Closed {
			return nil
		}
		if _, err := s.calls(1, all(nil)); err != nil {
			return err
		}
	}
	return nil
}

// told is the state that was told last.
func (s *subject) told() circuitbreaker.State {
	if n := len(s.changes); n > 0 {
		return s.changes[n-1].to
	}
	return circuitbreaker.Closed
}

// chain returns an error unless each change begins where the one before has ended.
func (s *subject) chain() error {
	state := circuitbreaker.Closed
	for i, c := range s.changes {
		if c.from != state || c.to == c.from {
			return fmt.Errorf("the state was %v, and change %d of %v is from %v to %v", state, i, len(s.changes), c.from, c.to)
		}
		state = c.to
	}
	return nil
}

func nobody(_ *testing.T, h *Harness) error {
	s := &subject{over: h.over}
	var err error
	if policy, ok := h.Policy.(circuitbreaker.DoerPolicy); ok && h.Doers {
		s.doer, err = policy.Doer(nil)
	} else {
		s.breaker, err = h.Policy.Breaker(nil)
	}
	if err != nil {
		return err
	}
	return s.open(h)
}

func report(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil || s.reporter == nil {
		return err
	}
	const good, bad = 5, 2
	for i := range good + bad {
		end, refusal, wrong := s.begin()
		if wrong != nil || refusal != nil {
			return errors.Join(wrong, refusal)
		}
		end([]error{nil, errFailed}[min(i/good, 1)])
	}
	if want, have := (circuitbreaker.Report{Successes: good, Failures: bad}), s.reporter.Report(); want != have {
		return fmt.Errorf("of %d calls %d have failed, and it reports %+v", good+bad, bad, have)
	}
	for _, phase := range []func(*Harness) error{s.open, s.settle} {
		if err := phase(h); err != nil {
			return err
		}
		r := s.reporter.Report() // which may change it
		state := s.told()
		if r.State != state || !(r.DropRatio >= 0 && r.DropRatio <= 1) || (state == circuitbreaker.Open) != (r.DropRatio == 1) {
			return fmt.Errorf("it has told %v last, and reports %+v", state, r)
		}
	}
	return nil
}

func concurrent(_ *testing.T, h *Harness) error {
	s, err := h.subject()
	if err != nil {
		return err
	}
	const callers, calls = 4, 500
	errs := make(chan error, callers)
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			var err error
			defer func() { errs <- errors.Join(err, panicked(recover())) }()
			for i := 0; i < calls && err == nil; i++ {
				err = s.oneOfMany(i, []error{nil, errFailed, errFailed, circuitbreaker.ErrIgnored}[(i/50+c)%4])
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return errors.Join(s.chain(), s.heal(h))
}

// oneOfMany makes a call while others do.
func (s *subject) oneOfMany(i int, outcome error) error {
	end, refusal, wrong := s.begin()
	if wrong != nil {
		return wrong
	}
	runtime.Gosched() // so that others come in between
	if refusal == nil {
		end(outcome)
	}
	if s.reporter != nil && i%50 == 0 {
		s.reporter.Report()
	}
	if i%100 == 99 {
		pass(100 * pace)
	}
	return nil
}
