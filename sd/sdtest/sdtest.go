// Package sdtest is the conformance suite of sd.Instancer and sd.Registrar. Each clause of their contract is one named check, and a
// failure prints the clause:
//
//	func TestConformance(t *testing.T) {
//		server := testserver.StartConsul(t)
//		sdtest.Run(t, sdtest.Harness{
//			Instancer: func(service string) (sd.Instancer, error) { return consul.NewInstancer(server.Client, service) },
//			Registrar: func(service string) (sd.Registrar, error) { return consul.NewRegistrar(server.Client, service) },
//			Outage:    server.Outage,
//			Differences: []sdtest.Difference{{
//				Check: "OddIDs", Reason: "the system allows letters and digits only",
//			}},
//		})
//	}
//
// Each check has a service of its own, and waits for what is to happen, so that a registry may take its time. Where a system cannot do
// what the contract says, its harness declares that with the reason. A difference that does not occur fails as well, so that the
// declarations stay true.
package sdtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// DefaultLimit is how long the suite waits for what the registry is to do.
	DefaultLimit = 10 * time.Second
	// DefaultWatches is how many watches there are at once.
	DefaultWatches = 50
	// Outage is how long the registry is away.
	Outage = 10 * time.Second
	// ShortOutage is the same with -short.
	ShortOutage = 2 * time.Second
	// Prompt is how long a loop takes at most to end, also during an outage.
	Prompt = 3 * time.Second
)

// Harness connects the suite with one system. Its functions are called by several goroutines at once.
type Harness struct {
	// Instancer returns a new Instancer of the service. One that is an io.Closer is closed after the check. The names of services have
	// at most 15 characters: a letter, and then letters, digits and hyphens.
	Instancer func(service string) (sd.Instancer, error)
	// Registrar returns a new Registrar of the service. It is nil for a system that has none.
	Registrar func(service string) (sd.Registrar, error)
	// Put makes these, which are all, the instances of the service. It is for systems without a Registrar.
	Put func(service string, instances ...sd.Instance) error

	// Forget makes the registry lose a registration behind the Registrar's back.
	Forget func(service string, instance sd.Instance) error
	// Corrupt puts an entry into the registry that belongs to the service and is no instance.
	Corrupt func(service string) error
	// Outage stops the registry, and returns what starts it again with what it had, in the same place.
	Outage func() (restore func() error, err error)

	// Differences are what the system forces to be otherwise than the contract says. What of Registrar, Forget, Corrupt and Outage is nil
	// must be among them, by that name: it stands for all checks that need it.
	Differences []Difference
	// Limit is how long the suite waits for what the registry is to do, which includes that a lost registration is made again. 0 stands
	// for DefaultLimit.
	Limit time.Duration
	// Watches is how many watches there are at once. 0 stands for DefaultWatches.
	Watches int
}

// Difference is a check that a system cannot pass, and why.
type Difference struct {
	// Check is the name of the check, or of a field of the Harness that is nil.
	Check string
	// Reason says what in the system forces it.
	Reason string
	// Sometimes says that the check passes sometimes, as when it depends on the time that the system takes.
	Sometimes bool
}

// Violation says which clause of the contract is broken, and how.
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

// atOnce is how many checks run at a time: most of them wait most of the time.
const atOnce = 16

// Run runs each check as a subtest: those below calm at the same time, and those below outage afterwards, with one outage for all.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.complete(); err != nil {
		t.Fatal(err)
	}
	slots := make(chan struct{}, atOnce)
	t.Run("calm", func(t *testing.T) {
		for _, c := range calmChecks() {
			t.Run(c.name, func(t *testing.T) {
				h.skip(t, c)
				result := make(chan []*Violation, 1)
				go func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					result <- h.judge(c)
				}()
				t.Parallel() // waits until all of them have begun
				report(t, <-result)
			})
		}
	})
	t.Run("outage", func(t *testing.T) {
		have := sync.OnceValue(h.judgeOutage)
		for _, c := range outageChecks() {
			t.Run(c.name, func(t *testing.T) {
				h.skip(t, c)
				report(t, have()[c.name])
			})
		}
	})
}

func report(t *testing.T, violations []*Violation) {
	t.Helper()
	for _, v := range violations {
		t.Error(v)
	}
}

// skip skips a check that needs what the harness does not have.
func (h *Harness) skip(t *testing.T, c check) {
	t.Helper()
	if d := h.missing(c); d != nil {
		t.Skipf("there is no %s: %s", d.Check, d.Reason)
	}
}

// Test runs all checks, several at a time, and returns nil, or an error that joins a *Violation for each thing that is wrong. Run is the
// same in the form of subtests.
func Test(h Harness) error {
	if err := h.complete(); err != nil {
		return err
	}
	var (
		errs  []error
		mu    sync.Mutex
		all   sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	add := func(violations []*Violation) {
		mu.Lock()
		defer mu.Unlock()
		for _, v := range violations {
			errs = append(errs, v)
		}
	}
	for _, c := range calmChecks() {
		if h.missing(c) != nil {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			add(h.judge(c))
		})
	}
	all.Wait()
	if outage := outageChecks(); h.missing(outage[0]) == nil {
		have := h.judgeOutage()
		for _, c := range outage {
			if h.missing(c) == nil {
				add(have[c.name])
			}
		}
	}
	return errors.Join(errs...)
}

// Clause is one clause of the contract.
type Clause struct {
	Check string // the name of the check
	Text  string // what must hold
}

// Contract returns the clauses, in the order in which they are checked.
func Contract() []Clause {
	var clauses []Clause
	for _, c := range checks() {
		clauses = append(clauses, Clause{Check: c.name, Text: c.clause})
	}
	return clauses
}

// check is one clause of the contract and how to find out.
type check struct {
	name, clause string
	needs        []string            // which fields of the harness
	run          func(c *cell) error // nil for those of the outage, which are seen together
}

func checks() []check { return slices.Concat(calmChecks(), outageChecks()) }

func calmChecks() []check {
	return slices.Concat(setChecks(), fieldChecks(), endChecks(), registerChecks())
}
