// Package status is the error that callers see, the same on every transport: one of the sixteen canonical
// codes, a message that may be shown, a machine-readable reason, and a cause that stays local.
//
// Only an *Error reaches a caller. Any other error is turned into Internal with a fixed text and an id by From; the
// id stands in the log beside the true text. So a database's message, with the password in it, stays at home
// unless somebody writes it into a status by hand.
//
// Business code may import status, and needs nothing else of Ashlar.
package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Error is an error that was written to be shown. Its fields except Cause cross every transport, and the caller gets
// back an equal value. An Error is not to be changed once it has been returned: the With methods make a copy.
type Error struct {
	// Code says what kind of error it is. OK (the zero value) is no error, and is treated as Unknown.
	Code Code
	// Message is for people, and is shown to the caller as it is.
	Message string
	// Reason is for programs: a constant in upper case with underscores, such as "OUT_OF_STOCK". It is stable
	// while messages change, and errors.Is compares it.
	Reason string
	// ID names this one occurrence, in the log and to the caller. From sets it.
	ID string
	// RetryAfter is how long to wait before another attempt is worth making; 0 says nothing about it.
	RetryAfter time.Duration
	// Violations list what is wrong with a request, by field.
	Violations []Violation
	// Details are further typed data for programs.
	Details []Detail
	// Cause is the error behind this one, for errors.Is, errors.As and the log. It never leaves the process.
	Cause error `json:"-" xml:"-"`
}

// New returns an error with a message that is shown to the caller.
func New(code Code, message string) *Error {
	return &Error{Code: code, Message: message}
}

// Errorf is New with a format, as of fmt.Sprintf. The whole text is shown to the caller, arguments included; give
// an underlying error to WithCause instead of formatting it, unless its text may be shown.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e with the cause, which stays local.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// WithReason returns a copy of e with the reason.
func (e *Error) WithReason(reason string) *Error {
	c := *e
	c.Reason = reason
	return &c
}

// WithRetryAfter returns a copy of e that asks to wait d before another attempt. A negative d counts as 0.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = max(d, 0)
	return &c
}

// WithViolations returns a copy of e that lists further violations.
func (e *Error) WithViolations(violations ...Violation) *Error {
	c := *e
	c.Violations = slices.Concat(e.Violations, violations)
	return &c
}

// WithDetails returns a copy of e that carries further details.
func (e *Error) WithDetails(details ...Detail) *Error {
	c := *e
	c.Details = slices.Concat(e.Details, details)
	return &c
}

// Error returns the text for the local log: the code, the reason, the ID, the message, and the cause's text. A nil *Error
// that was returned as an error is a defect, and says so; so is a cause that panics.
func (e *Error) Error() string {
	if e == nil {
		return "a nil *status.Error was returned as an error"
	}
	return e.text()
}

func (e *Error) text() (text string) {
	defer func() {
		if value := recover(); value != nil {
			text = e.own() + ": " + panicked(e.Cause, value).Error()
		}
	}()
	if inner := as(e.Cause); inner != nil && inner.Code == e.Code && inner.Message == e.Message {
		return e.Cause.Error() // the cause wraps what this was made of, and says it all
	}
	text = e.own()
	if e.Cause != nil {
		if cause := e.Cause.Error(); !strings.HasSuffix(e.Message, cause) {
			text += ": " + cause
		}
	}
	return text
}

// own is the text without the cause's.
func (e *Error) own() string {
	text := e.Code.String()
	switch {
	case e.Reason != "" && e.ID != "":
		text += " (" + e.Reason + ", id " + e.ID + ")"
	case e.Reason != "":
		text += " (" + e.Reason + ")"
	case e.ID != "":
		text += " (id " + e.ID + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Cause
}

// Is makes errors.Is find an Error by what it means and not by its address, so that a sentinel matches on the far
// side of a transport too: target matches when it is an *Error with the same code and the same reason; where it has no
// reason, with the same message; where it has neither, by the code alone. Canceled and DeadlineExceeded match context.Canceled
// and context.DeadlineExceeded.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch target {
	case context.Canceled:
		return e.Code == Canceled
	case context.DeadlineExceeded:
		return e.Code == DeadlineExceeded
	}
	t, ok := target.(*Error)
	switch {
	case !ok || t == nil || t.Code != e.Code:
		return false
	case t.Reason != "":
		return t.Reason == e.Reason
	}
	return t.Message == "" || t.Message == e.Message
}

// As returns the first *Error in err's tree, in the order of errors.As; nil where there is none, or where a method of an error in the
// tree panics.
func As(err error) (e *Error) {
	defer func() {
		if recover() != nil { // as From says
			e = nil
		}
	}()
	return as(err)
}

func as(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}
