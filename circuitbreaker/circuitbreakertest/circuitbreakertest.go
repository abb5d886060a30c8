// Package circuitbreakertest is the conformance suite of circuitbreaker.Policy, and of the Breakers and Doers that it makes. Each clause of
// their contracts is one named check, and a failure prints the clause:
//
//	func TestConformance(t *testing.T) {
//		circuitbreakertest.Run(t, circuitbreakertest.Harness{Policy: circuitbreaker.Adaptive()})
//	}
//
// Each check runs in a bubble of testing/synctest, so that what takes a breaker minutes takes no time.
package circuitbreakertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// Harness says what is tested.
type Harness struct {
	// Policy makes the breakers. It is required.
	Policy circuitbreaker.Policy
	// Doers has those tested that the Policy makes as a DoerPolicy, in place of its Breakers.
	Doers bool
	// Patience is within how long, at a hundred calls a second, a breaker opens when all fail, lets one through when it is open, and closes
	// when all is well. 0 stands for two minutes.
	Patience time.Duration

	over chan struct{} // closed when a check is
}

// Violation says which clause of the contract a breaker breaks, and how.
type Violation struct {
	Check  string // the name of the check
	Clause string // what the contract says
	Err    error  // what was seen instead
}

// Error returns all three.
func (v *Violation) Error() string {
	return fmt.Sprintf("%s: %v\n\tthe contract: %s", v.Check, v.Err, v.Clause)
}

// Unwrap returns what was seen.
func (v *Violation) Unwrap() error { return v.Err }

// Run runs each check as a subtest.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.complete(); err != nil {
		t.Fatal(err)
	}
	for _, c := range h.checks() {
		t.Run(c.name, func(t *testing.T) {
			if err := c.judge(t, &h); err != nil {
				t.Errorf("%v\n\tthe contract: %s", err, c.clause)
			}
		})
	}
}

// Test runs all checks and returns nil, or an error that joins a *Violation per broken clause. Run is the same in the form of
// subtests.
func Test(t *testing.T, h Harness) error {
	t.Helper()
	if err := h.complete(); err != nil {
		return err
	}
	var errs []error
	for _, c := range h.checks() {
		if err := c.judge(t, &h); err != nil {
			errs = append(errs, &Violation{Check: c.name, Clause: c.clause, Err: err})
		}
	}
	return errors.Join(errs...)
}

// Checks returns the names of the checks, in the order in which they run.
func Checks() []string {
	names := make([]string, 0, len(checks))
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

// check is one clause of the contract and how to find out.
type check struct {
	name, clause string
	doers        bool // it is one of Doers alone
	run          func(t *testing.T, h *Harness) error
}

// judge runs the check in a bubble of synctest, and makes an error of a panic.
func (c check) judge(t *testing.T, h *Harness) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := *h
		h.over = make(chan struct{})
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
			close(h.over)
		}()
		err = c.run(t, &h)
	})
	return err
}

var checks = slices.Concat(stateChecks, ignoredChecks, policyChecks, doerChecks)

func (h *Harness) checks() []check {
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return c.doers && !h.Doers })
}

// complete fills in what a harness may leave out, and fails for what it must not.
func (h *Harness) complete() error {
	if h.Policy == nil {
		return errors.New("circuitbreakertest: the harness has no policy")
	}
	if _, ok := h.Policy.(circuitbreaker.DoerPolicy); h.Doers && !ok {
		return errors.New("circuitbreakertest: the policy makes no doers")
	}
	if h.Patience < 0 {
		return fmt.Errorf("circuitbreakertest: the harness has a Patience of %v, want 0 or more", h.Patience)
	}
	if h.Patience == 0 {
		h.Patience = 2 * time.Minute
	}
	return nil
}
