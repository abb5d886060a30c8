package circuitbreakertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

var errFailed = errors.New("it fails")

// pace is the time between two calls.
const pace = 10 * time.Millisecond

func pass(d time.Duration) { <-time.After(d) }

// subject is a breaker under test.
type subject struct {
	breaker  circuitbreaker.Breaker
	doer     circuitbreaker.Doer
	reporter circuitbreaker.Reporter // nil where it is none
	changes  []change
	over     <-chan struct{} // closed when the check is
}

type change struct{ from, to circuitbreaker.State }

// subject makes one.
func (h *Harness) subject() (s *subject, err error) {
	s = &subject{over: h.over}
	changed := func(from, to circuitbreaker.State) { s.changes = append(s.changes, change{from, to}) }
	if policy, ok := h.Policy.(circuitbreaker.DoerPolicy); ok && h.Doers {
		if s.doer, err = policy.Doer(changed); err == nil && s.doer == nil {
			err = errors.New("the doer is nil")
		}
		s.reporter, _ = s.doer.(circuitbreaker.Reporter)
		return s, err
	}
	if s.breaker, err = h.Policy.Breaker(changed); err == nil && s.breaker == nil {
		err = errors.New("the breaker is nil")
	}
	s.reporter, _ = s.breaker.(circuitbreaker.Reporter)
	return s, err
}

// begin begins a call that end ends, or returns why it is refused. Wrong is what the contract does not allow.
func (s *subject) begin() (end func(outcome error), refusal, wrong error) {
	before := time.Now()
	if s.doer == nil {
		end, refusal = s.breaker.Allow()
		wrong = exclusive(end != nil, refusal)
	} else {
		end, refusal, wrong = s.beginDo()
	}
	if took := time.Since(before); took != 0 {
		wrong = fmt.Errorf("it has taken %v to decide", took)
	}
	if refusal != nil && !errors.Is(refusal, circuitbreaker.ErrOpen) {
		wrong = fmt.Errorf("it refuses with %w, which is not ErrOpen", refusal)
	}
	return end, refusal, wrong
}

func exclusive(done bool, err error) error {
	switch {
	case done && err != nil:
		return fmt.Errorf("it returns done, and the error %w", err)
	case !done && err == nil:
		return errors.New("it returns neither done nor an error")
	}
	return nil
}

// beginDo makes a call of Do that lasts until it is told to end, or the check is over.
func (s *subject) beginDo() (end func(outcome error), refusal, wrong error) {
	begun, ended, over := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	var outcome error
	go func() {
		refused := false
		defer close(over)
		defer func() {
			if v := recover(); v != nil {
				wrong = fmt.Errorf("panic: %v", v)
			} else if refused && refusal == nil {
				wrong = errors.New("it refuses, without an error")
			}
		}()
		_, refused, refusal = s.doer.Do(context.Background(), nil, func(context.Context, any) (any, error, error) {
			select {
			case begun <- struct{}{}:
			default: // it was called before
			}
			select {
			case <-ended:
			case <-s.over:
			}
			return nil, outcome, outcome
		})
		if !refused {
			refusal = nil
		}
	}()
	select {
	case <-begun:
		return func(told error) {
			outcome = told
			close(ended)
			<-over
		}, nil, nil
	case <-over:
		if refusal == nil && wrong == nil {
			wrong = errors.New("it neither calls what it was given nor refuses")
		}
		return nil, refusal, wrong
	}
}

// calls makes so many calls one after the other, with a pace between, and counts those that were let through.
func (s *subject) calls(n int, outcome func(i int) error) (through int, err error) {
	for i := range n {
		end, refusal, wrong := s.begin()
		if wrong != nil {
			return through, wrong
		}
		if refusal == nil {
			through++
			end(outcome(i))
		}
		pass(pace)
	}
	return through, nil
}

func all(outcome error) func(int) error { return func(int) error { return outcome } }

// openPart is how many of so many calls an open breaker lets through at most.
func openPart(calls int) int { return max(3, calls/50) }

// open makes calls fail until nearly all are refused.
func (s *subject) open(h *Harness) error {
	const step = 500
	for range steps(h.Patience, step) {
		through, err := s.calls(step, all(errFailed))
		if err != nil {
			return err
		}
		if through <= openPart(step) {
			return nil
		}
	}
	return fmt.Errorf("all calls have failed for %v, a hundred a second, and it lets most of them through", h.Patience)
}

// steps is how often that many calls fit into the time, at least once.
func steps(d time.Duration, calls int) int { return int(d/pace)/calls + 1 }

// probe waits until a call is let through.
func (s *subject) probe(h *Harness) (end func(error), err error) {
	for range steps(h.Patience, 1) {
		end, refusal, wrong := s.begin()
		if wrong != nil {
			return nil, wrong
		}
		if refusal == nil {
			return end, nil
		}
		pass(pace)
	}
	return nil, fmt.Errorf("it has let no call through for %v", h.Patience)
}

// heal makes calls succeed until none is refused.
func (s *subject) heal(h *Harness) error {
	const step = 200
	for range steps(h.Patience, step) {
		through, err := s.calls(step, all(nil))
		if err != nil {
			return err
		}
		if through == step {
			return nil
		}
	}
	return fmt.Errorf("all calls that it lets through have succeeded for %v, and it refuses some", h.Patience)
}
