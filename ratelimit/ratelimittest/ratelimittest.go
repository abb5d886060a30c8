// Package ratelimittest is the conformance suite of ratelimit.Limiter. Each clause of the contract is one named check, and a failure prints
// the clause:
//
//	func TestConformance(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			ratelimittest.Run(t, ratelimittest.Harness{
//				New: func(limit ratelimit.Limit) (ratelimit.Limiter, error) { return ratelimit.New(limit) },
//			})
//		})
//	}
//
// In the virtual time of testing/synctest the checks are exact. In real time, as against a limiter in another process, they allow for the
// time that the calls themselves take, and for Harness.Precision; Harness.Period says how long they last.
package ratelimittest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

// DefaultPeriod is the Period of a Harness that has none.
const DefaultPeriod = time.Second

// Harness connects the suite with one kind of limiter.
type Harness struct {
	// New returns a limiter of the limit, of which nothing has been taken for any key.
	New func(limit ratelimit.Limit) (ratelimit.Limiter, error)
	// Period is that of most limits, in which there are ten events or fewer. The whole suite waits for about twenty of it. It is to be long
	// against the time of a call: in real time half a second or more. 0 stands for DefaultPeriod.
	Period time.Duration
	// Precision is how exactly the limiter measures time, such as a microsecond. A second is the most. 0 is exact.
	Precision time.Duration
	// Window says that all events come back together at the end of a period, which is the same for all keys, and that there are no
	// bursts of another number than the events.
	Window bool
}

// Violation says which clause of the contract a limiter breaks, and how.
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

// Run runs each check, one after the other, and reports what fails by the name of the check.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := Test(h); err != nil {
		t.Error(err)
	}
}

// Test runs all checks and returns nil, or an error that joins a *Violation for each broken clause. It works inside of testing/synctest.
func Test(h Harness) error {
	if h.Period == 0 {
		h.Period = DefaultPeriod
	}
	switch {
	case h.New == nil:
		return errors.New("ratelimittest: the Harness has no New")
	case h.Period < 0 || h.Precision < 0 || h.Precision > time.Second:
		return errors.New("ratelimittest: the Harness has a Period or a Precision that is less than 0, or a Precision of more than a second")
	}
	var errs []error
	for _, c := range checks() {
		if h.Window && c.evenly {
			continue
		}
		if err := c.run(&h); err != nil {
			errs = append(errs, &Violation{Check: c.name, Clause: c.clause, Err: err})
		}
	}
	return errors.Join(errs...)
}

// Checks returns the names of the checks, in the order in which they run.
func Checks() (names []string) {
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// check is one clause of the contract and how to find out.
type check struct {
	name   string
	clause string
	evenly bool // it is for limiters whose events come back evenly
	run    func(h *Harness) error
}

func checks() []check {
	return []check{
		{name: "Begins", run: begins, clause: "a key that nothing was taken of has all of the Capacity"},
		{name: "CountsDown", run: countsDown, clause: "Remaining is what could be taken right after; what is not there is refused"},
		{name: "AllOrNothing", run: allOrNothing, clause: "a refusal takes nothing"},
		{name: "Looks", run: looks, clause: "n of 0 takes nothing, and is always Allowed"},
		{name: "Costs", run: costs, clause: "n that is less than 0, or more than there ever is at once, is a *CostError, and takes nothing"},
		{name: "Keys", run: keys, clause: "keys do not influence one another, and any string is one"},
		{name: "RetryAfter", run: retryAfter, clause: "what was refused is allowed after RetryAfter, and not before"},
		{name: "Reset", run: reset, clause: "all of the Capacity is there after Reset, and not before"},
		{name: "NoMoreThanCapacity", run: noMore, clause: "after any time there is the Capacity, and no more"},
		{name: "Rate", run: rate, clause: "there are so many events in each Period, no more and no fewer"},
		{name: "Evenly", run: evenly, evenly: true, clause: "events come back one by one"},
		{name: "Bursts", run: bursts, evenly: true, clause: "as many can be taken at once as Burst says"},
		{name: "Fractions", run: fractions, clause: "the events of a Period that is no multiple of them are as exact"},
		{name: "Large", run: large, clause: "limits are as exact with large numbers and with long periods"},
		{name: "AtOnce", run: atOnce, clause: "a Limiter is safe for concurrent use"},
		{name: "Ended", run: ended, clause: "where ctx has ended, Take decides, or takes nothing and fails with what ctx says"},
	}
}
