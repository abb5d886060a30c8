// Package codectest is the conformance suite of codec.Codec. Each clause of the interface's contract is one named check,
// and a failure prints the clause:
//
//	func TestConformance(t *testing.T) {
//		codectest.Run(t, codectest.Harness{
//			Codec:     json.New(),
//			MaxDepth:  json.DefaultMaxDepth,
//			Malformed: []codectest.Document{{Name: "no quotes", Data: []byte(`{id:1}`)}},
//			Trailing:  []string{"x", "{}"},
//		})
//	}
package codectest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
)

// Harness says what an encoding can do, and brings the documents that only somebody who knows the encoding can write.
type Harness struct {
	// Codec is the codec under test.
	Codec codec.Codec
	// Without names what the encoding cannot do; zero: it can do everything.
	Without Feature
	// MaxDepth is how many levels of structs and slices Decode accepts. 0 says that the encoding cannot nest.
	MaxDepth int
	// MaxSkipped is how many levels Decode passes over in a member that nobody reads. 0 stands for MaxDepth.
	MaxSkipped int

	// Samples are pointers to further values that must survive a round trip.
	Samples []any
	// Equal compares what was encoded with what was decoded, both pointers. Nil stands for the function Equal.
	Equal func(want, have any) bool
	// Unencodable are values that Append must refuse, and of whose types Decode must refuse a pointer; besides a
	// function and a channel, which the suite knows itself.
	Unencodable []any

	// Malformed are documents that break the syntax. At least one is required.
	Malformed []Document
	// Trailing are texts that must be refused after a complete document. At least one is required.
	Trailing []string
	// WrongType are documents that do not fit the type they are decoded into. None stands for an Order whose fourth item
	// has a price in words.
	WrongType []Document
	// Deep returns a document that is nested that many levels deep. Nil stands for a Node that holds a Node, and so on.
	Deep func(depth int) Document
}

// Document is input for Decode.
type Document struct {
	// Name says what the document shows.
	Name string
	// Data is the document.
	Data []byte
	// Into is a pointer whose type says what to decode into; a new value is made each time. Nil stands for *Order.
	Into any
	// Path is what DecodeError.Path must be. Empty: it may be anything.
	Path string
}

// Violation says which clause of the contract a codec breaks, and how.
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
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(&h); err != nil {
				t.Errorf("%v\n\tthe contract: %s", err, c.clause)
			}
		})
	}
}

// Test runs all checks and returns nil, or an error that joins a *Violation per broken clause. Run is the same in the
// form of subtests.
func Test(h Harness) error {
	if err := h.complete(); err != nil {
		return err
	}
	var errs []error
	for _, c := range checks {
		if err := c.run(&h); err != nil {
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
	run          func(h *Harness) error
}

var checks = slices.Concat(typeChecks, appendChecks, decodeChecks, sharingChecks)

// complete fills in what a harness may leave out, and fails for what it must not.
func (h *Harness) complete() error {
	switch {
	case h.Codec == nil:
		return errors.New("codectest: the harness has no codec")
	case len(h.Malformed) == 0:
		return errors.New("codectest: the harness needs a malformed document")
	case len(h.Trailing) == 0 && h.has(End):
		return errors.New("codectest: the harness needs something that trails a document")
	}
	if h.Equal == nil {
		h.Equal = Equal
	}
	h.Samples = append(h.samples(), h.Samples...)
	if len(h.Samples) == 0 {
		return errors.New("codectest: the harness needs a sample")
	}
	if h.MaxSkipped == 0 {
		h.MaxSkipped = h.MaxDepth
	}
	if h.Deep == nil {
		h.Deep = h.deepNode
	}
	h.Unencodable = append([]any{func() {}, make(chan int)}, h.Unencodable...)
	return h.completeWrongType()
}

func (h *Harness) has(f Feature) bool { return h.Without&f == 0 }
