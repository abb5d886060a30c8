// Package lbtest is the conformance suite of lb.Policy. Each clause of the interface's contract is one named check, and a failure
// prints the clause:
//
//	func TestConformance(t *testing.T) {
//		lbtest.Run(t, lbtest.Harness{New: lb.RoundRobin, Claims: lbtest.Even})
//	}
//
// The nodes are those of pools whose calls go where a check sends them. Each check runs in a bubble of testing/synctest, so that what takes
// a policy minutes takes no time.
package lbtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
)

// Harness makes the policy under test, and says what it claims.
type Harness struct {
	// New makes a policy. It is required.
	New func() lb.Policy
	// Claims are what the policy does beyond the contract, each of which is checked. Zero: nothing.
	Claims Claim
	// Context returns the context of the i-th pick. Nil: without any values.
	Context func(ctx context.Context, i int) context.Context
	// Tolerance is by how much the part of an instance may differ from its due, of all calls, for Even and Weighted. 0 stands for 0.02.
	Tolerance float64
}

// Claim is something that some policies do.
type Claim uint8

// What a policy can claim.
const (
	Even     Claim = 1 << iota // Idle instances get as many calls each, whatever their weights.
	Weighted                   // Idle instances get calls in proportion to their weights.
	Load                       // An instance with far more calls in flight than the others gets fewer of them.
	Sticky                     // Equal contexts go to the same idle instance, in all pickers of all policies with the same set.
	Minimal                    // As Sticky, and when an instance leaves, only its own contexts go elsewhere.
)

// Violation says which clause of the contract a policy breaks, and how.
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
	claim        Claim // that it is a check of; 0 for the contract of all
	run          func(t *testing.T, h *Harness) error
}

// judge runs the check in a bubble of synctest, and makes an error of a panic.
func (c check) judge(t *testing.T, h *Harness) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		err = c.run(t, h)
	})
	return err
}

var checks = slices.Concat(pickChecks, pickerChecks, claimChecks)

func (h *Harness) checks() []check {
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool { return c.claim&h.Claims != c.claim })
}

// complete fills in what a harness may leave out, and fails for what it must not.
func (h *Harness) complete() error {
	if h.New == nil {
		return errors.New("lbtest: the harness makes no policy")
	}
	if h.Context == nil {
		h.Context = func(ctx context.Context, _ int) context.Context { return ctx }
	}
	if h.Tolerance == 0 {
		h.Tolerance = 0.02
	}
	return nil
}

// context returns the context of the i-th pick.
func (h *Harness) context(i int) context.Context { return h.Context(context.Background(), i) }
