// Package transporttest is the conformance suite of Ashlar's transports. Each clause of the contract that they share is one
// named check, which runs for each shape of operation, and a failure prints the clause:
//
//	func TestConformance(t *testing.T) {
//		transporttest.Run(t, transporttest.Harness{
//			Name:      "inproc",
//			Transport: inproc.Name,
//			Open:      open, // serves the suite's operations, and makes clients of them
//			Differences: []transporttest.Difference{{
//				Check: "Peer", Have: "knows no peer", Reason: "there is no network, and so no address",
//			}},
//		})
//	}
//
// Where a protocol forces a transport to behave differently, its harness declares that, with what is seen instead and the
// reason. A difference that does not occur fails as well, so that the declarations stay true; docs/transports.md is made of
// them.
package transporttest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Defaults of a Harness.
const (
	// DefaultPatience is long enough for a busy machine: a sound transport never needs it.
	DefaultPatience = 60 * time.Second
	// DefaultStreams is how many streams are open at a time.
	DefaultStreams = 1000
	// ShortStreams is the same with -short.
	ShortStreams = 100
	// DefaultMessages is how many messages a long stream has.
	DefaultMessages = 10_000
	// ShortMessages is the same with -short.
	ShortMessages = 1000
)

// Harness connects the suite with one way of carrying calls.
type Harness struct {
	// Name says which way, such as "http, WebSocket".
	Name string
	// Transport is what the transport calls itself in transport.Info.
	Transport string
	// Kinds are the shapes of operations that go this way. None stands for all four.
	Kinds []endpoint.Kind
	// Open serves the operations, all of them at a time, with MaxMessage as the limit of each message, both ways. It is
	// called for each check anew, and by several goroutines at once.
	Open func(operations ...Operation) (Link, error)
	// Window is how many bytes a sender may be ahead of a reader who does not read: what all buffers between them hold.
	Window int
	// Differences are what the protocol forces to be otherwise than the contract says.
	Differences []Difference

	// Patience is how long the suite waits for what must happen. 0 stands for DefaultPatience.
	Patience time.Duration
	// Streams is how many streams are opened at a time. 0 stands for DefaultStreams, or ShortStreams with -short.
	Streams int
	// Messages is how many messages a long stream has. 0 stands for DefaultMessages, or ShortMessages with -short.
	Messages int
}

// Violation says which clause of the contract a transport breaks, for which shape of operation, and how.
type Violation struct {
	Check  string        // the name of the check
	Kind   endpoint.Kind // the shape of the operation
	Clause string        // what the contract says
	Err    error         // what was seen instead
}

// Error returns all of it.
func (v *Violation) Error() string {
	return fmt.Sprintf("%s, %v: %v\n\tthe contract: %s", v.Check, v.Kind, v.Err, v.Clause)
}

// Unwrap returns what was seen.
func (v *Violation) Unwrap() error { return v.Err }

// Run runs each check for each shape as a subtest.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if err := h.complete(); err != nil {
		t.Fatal(err)
	}
	for _, c := range inTurn() {
		t.Run(c.name, func(t *testing.T) {
			if !c.alone {
				t.Parallel()
			}
			for _, kind := range h.kindsOf(c) {
				t.Run(kind.String(), func(t *testing.T) {
					if !c.alone {
						t.Parallel()
					}
					for _, err := range h.judge(c, kind) {
						t.Errorf("%v\n\tthe contract: %s", err, c.clause)
					}
				})
			}
		})
	}
}

// Test runs all checks for all shapes, several at a time, and returns nil, or an error that joins a *Violation for each thing
// that is wrong. Run is the same in the form of subtests.
func Test(h Harness) error {
	if err := h.complete(); err != nil {
		return err
	}
	const atOnce = 16 // most of them wait most of the time
	var (
		errs  []error
		mu    sync.Mutex
		all   sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	for _, c := range inTurn() {
		for _, kind := range h.kindsOf(c) {
			slots <- struct{}{}
			run := func() {
				defer func() { <-slots }()
				for _, err := range h.judge(c, kind) {
					mu.Lock()
					errs = append(errs, &Violation{Check: c.name, Kind: kind, Clause: c.clause, Err: err})
					mu.Unlock()
				}
			}
			if c.alone {
				run()
			} else {
				all.Go(run)
			}
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// Clause is one clause of the contract.
type Clause struct {
	Check string          // the name of the check
	Kinds []endpoint.Kind // the shapes of operations that it is about
	Text  string          // what must hold
}

// Contract returns the clauses, those together that are about the same thing.
func Contract() []Clause {
	var clauses []Clause
	for _, c := range checks() {
		clauses = append(clauses, Clause{Check: c.name, Kinds: slices.Clone(c.on()), Text: c.clause})
	}
	return clauses
}

// check is one clause of the contract and how to find out.
type check struct {
	name, clause string
	kinds        []endpoint.Kind // the shapes that it is about; none stands for all
	alone        bool            // it does not run beside other checks
	run          func(c *cell) error
}

// checks returns all of them.
func checks() []check {
	return slices.Concat(
		messageChecks, flowChecks, headerChecks, infoChecks, errorChecks, panicChecks, hookChecks, middlewareChecks,
		deadlineChecks, cancelChecks, breakChecks, codingChecks, limitChecks, routeChecks, loadChecks,
	)
}

// inTurn returns the checks in the order in which they run: first those that run alone.
func inTurn() []check {
	all := checks()
	slices.SortStableFunc(all, func(a, b check) int {
		switch {
		case a.alone == b.alone:
			return 0
		case a.alone:
			return -1
		}
		return 1
	})
	return all
}

func allKinds() []endpoint.Kind {
	return []endpoint.Kind{endpoint.Unary, endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional}
}

func streamKinds() []endpoint.Kind { return allKinds()[1:] }

// manyIn are the shapes with any number of requests, manyOut those with any number of responses.
func manyIn() []endpoint.Kind  { return []endpoint.Kind{endpoint.ClientStream, endpoint.Bidirectional} }
func manyOut() []endpoint.Kind { return []endpoint.Kind{endpoint.ServerStream, endpoint.Bidirectional} }

// on returns the shapes that the check is about.
func (c check) on() []endpoint.Kind {
	if len(c.kinds) == 0 {
		return allKinds()
	}
	return c.kinds
}

// kindsOf returns the shapes that the check is run for.
func (h *Harness) kindsOf(c check) []endpoint.Kind {
	return slices.DeleteFunc(slices.Clone(c.on()), func(k endpoint.Kind) bool { return !slices.Contains(h.Kinds, k) })
}

// complete fills in what a harness may leave out, and fails for what it must not.
func (h *Harness) complete() error {
	switch {
	case h.Name == "":
		return errors.New("transporttest: the harness has no name")
	case h.Transport == "":
		return fmt.Errorf("transporttest: %s: the harness does not say what the transport calls itself", h.Name)
	case h.Open == nil:
		return fmt.Errorf("transporttest: %s: the harness cannot open anything", h.Name)
	case h.Patience < 0, h.Streams < 0, h.Messages < 0, h.Window < 0:
		return fmt.Errorf("transporttest: %s: Patience, Streams, Messages and Window must not be negative", h.Name)
	}
	if len(h.Kinds) == 0 {
		h.Kinds = allKinds()
	}
	h.Patience = cmp.Or(h.Patience, DefaultPatience)
	streams, messages := DefaultStreams, DefaultMessages
	if testing.Short() {
		streams, messages = ShortStreams, ShortMessages
	}
	h.Streams, h.Messages = cmp.Or(h.Streams, streams), cmp.Or(h.Messages, messages)
	for _, d := range h.Differences {
		if err := d.complete(h); err != nil {
			return fmt.Errorf("transporttest: %s: the difference %q: %w", h.Name, strings.TrimSpace(d.Check+" "+d.kinds()), err)
		}
	}
	return nil
}
