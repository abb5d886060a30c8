package status

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// Violation is one thing that is wrong with a request. It is an error, so that a Validate method can return
// errors.Join of as many as it finds.
type Violation struct {
	// Field is the path of the field inside the request, such as "items[3].price"; empty for the whole.
	Field string `json:"field"`
	// Description says what is wrong, and is shown to the caller.
	Description string `json:"description"`
}

// Error returns the field and the description.
func (v Violation) Error() string {
	if v.Field == "" {
		return v.Description
	}
	return v.Field + ": " + v.Description
}

const (
	maxViolations = 64 // in one error: enough to mend a form, too little to make a large answer of a large request
	maxInMessage  = 8  // of which the message tells
)

// Invalid turns what a validation found into InvalidArgument, with every Violation in err's tree, up to 64. Only those are
// shown: what is wrapped around them, and errors of other types, stay in the cause. An *Error in the tree counts by its
// violations, or else by its message, if it is InvalidArgument itself; one with another code is returned as From does, since
// it is not the request that is wrong. Nil is returned for nil.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // what is wrapped is looked at below
		if e == nil {
			return nil
		}
		return e
	}
	var f findings
	f.add(err)
	if f.other != nil {
		return f.other.WithCause(err)
	}
	e := &Error{Code: InvalidArgument, Message: f.message(), Violations: f.violations}
	if f.hidden {
		e.Cause = err
	}
	return e
}

// findings are the violations in a tree of errors.
type findings struct {
	violations []Violation
	more       int    // beyond maxViolations
	other      *Error // the first that is not InvalidArgument
	hidden     bool   // there is more in the tree than its violations
}

func (f *findings) add(err error) {
	switch e := err.(type) { //nolint:errorlint // one level at a time
	case nil:
	case Violation:
		f.violation(e)
	case *Violation:
		if e != nil {
			f.violation(*e)
		}
	case *Error:
		f.status(e)
	case interface{ Unwrap() []error }:
		for _, joined := range e.Unwrap() {
			f.add(joined)
		}
	default:
		f.hidden = true
		f.add(errors.Unwrap(err))
	}
}

func (f *findings) status(e *Error) {
	f.hidden = f.hidden || e != nil && e.Cause != nil
	switch {
	case e == nil:
	case e.Code != InvalidArgument:
		f.other = cmp.Or(f.other, e)
	case len(e.Violations) == 0:
		f.violation(Violation{Description: e.Message})
	default:
		for _, v := range e.Violations {
			f.violation(v)
		}
	}
}

func (f *findings) violation(v Violation) {
	if len(f.violations) == maxViolations {
		f.more++
		return
	}
	f.violations = append(f.violations, v)
}

func (f *findings) message() string {
	if len(f.violations) == 0 {
		return "the request is not valid"
	}
	told := f.violations[:min(len(f.violations), maxInMessage)]
	var b strings.Builder
	b.WriteString("invalid request: ")
	for i, v := range told {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.Error())
	}
	if more := len(f.violations) - len(told) + f.more; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}
