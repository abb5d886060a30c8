package transporttest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Difference is something that a protocol forces to be otherwise than the contract says.
type Difference struct {
	// Check is the name of the check that sees it.
	Check string
	// Kinds are the shapes of operations that it concerns. None stands for all for which the check runs.
	Kinds []endpoint.Kind
	// Have is what the check sees instead, or the part of its text that does not change. What else it sees is still wrong.
	Have string
	// Reason says what in the protocol forces it.
	Reason string
}

// forDifference is the most that a check waits when it is expected to see a difference, which may be that nothing happens.
const forDifference = 200 * time.Millisecond

// complete fails for a difference that nobody could see.
func (d *Difference) complete(h *Harness) error {
	i := slices.IndexFunc(checks(), func(c check) bool { return c.name == d.Check })
	switch {
	case i < 0:
		return errors.New("there is no such check")
	case d.Have == "" || d.Reason == "":
		return errors.New("it must say what is seen instead, and why")
	}
	for _, kind := range d.Kinds {
		if !slices.Contains(h.kindsOf(checks()[i]), kind) {
			return fmt.Errorf("the check does not run for %v", kind)
		}
	}
	return nil
}

func (d *Difference) concerns(check string, kind endpoint.Kind) bool {
	return d.Check == check && (len(d.Kinds) == 0 || slices.Contains(d.Kinds, kind))
}

// kinds returns the shapes as a text, empty for all.
func (d *Difference) kinds() string {
	names := make([]string, len(d.Kinds))
	for i, kind := range d.Kinds {
		names[i] = kind.String()
	}
	return strings.Join(names, ", ")
}

// judge runs the check, and returns what is wrong: what it sees without a declared difference, and a declared difference
// that it does not see.
func (h *Harness) judge(c check, kind endpoint.Kind) []error {
	var declared []Difference
	for _, d := range h.Differences {
		if d.concerns(c.name, kind) {
			declared = append(declared, d)
		}
	}
	patience := h.Patience
	if len(declared) > 0 {
		patience = min(patience, forDifference)
	}
	seen := flatten(newCell(h, kind, patience).test(c))
	var wrong []error
	for _, d := range declared {
		has := func(err error) bool { return strings.Contains(err.Error(), d.Have) }
		if !slices.ContainsFunc(seen, has) {
			wrong = append(wrong, fmt.Errorf("the declared difference %q does not occur; delete it", d.Have))
		}
		seen = slices.DeleteFunc(seen, has)
	}
	return append(wrong, seen...)
}

// flatten returns the errors that errors.Join has joined.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok || reflect.TypeOf(err) != reflect.TypeOf(errors.Join(errEnded)): // fmt.Errorf wraps several, too
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// within returns err with what it is about in front of each error that it joins.
func within(what string, err error) error {
	var all []error
	for _, e := range flatten(err) {
		all = append(all, fmt.Errorf("%s: %w", what, e))
	}
	return errors.Join(all...)
}
