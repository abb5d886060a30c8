package status

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// hidden is what a caller reads instead of an error that was not written to be shown.
const hidden = "internal error"

// From returns the error that a caller may see for err, nil for nil (a nil *Error: do not return that as an error):
//
//   - the first *Error in err's tree, as it is; texts wrapped around it stay local;
//   - Canceled or DeadlineExceeded for a context's error;
//   - for any other error Internal, with a fixed message, a new ID and err as its cause. Whoever logs the result
//     logs the ID and the true text, and the caller has the ID to ask with.
//
// Where the error was wrapped, the result is a copy whose Cause is err, so that nothing is lost to the log. An error whose
// Unwrap, Is or As panics, as those of a nil pointer may, is Internal as well; the panic and the error's type are the cause then, since
// the error itself would panic again.
func From(err error) (shown *Error) {
	if err == nil {
		return nil
	}
	defer func() {
		if value := recover(); value != nil {
			shown = &Error{Code: Internal, Message: hidden, ID: newID(), Cause: panicked(err, value)}
		}
	}()
	if e := as(err); e != nil {
		if e == err { //nolint:errorlint // the point is whether err is the *Error itself
			return e.normal()
		}
		return e.normal().WithCause(err)
	}
	if code, ok := contextCode(err); ok {
		return &Error{Code: code, Message: contextMessage(code), Cause: err}
	}
	return &Error{Code: Internal, Message: hidden, ID: newID(), Cause: err}
}

// CodeOf returns the code of From(err): OK for nil, Internal for an error that is no status.
func CodeOf(err error) (code Code) {
	if err == nil {
		return OK
	}
	defer func() {
		if recover() != nil { // as From says
			code = Internal
		}
	}()
	if e := as(err); e != nil {
		return e.normal().Code
	}
	if code, ok := contextCode(err); ok {
		return code
	}
	return Internal
}

// normal returns e, or a copy with the code Unknown where e's is none of the sixteen.
func (e *Error) normal() *Error {
	if e.Code != OK && e.Code.Valid() {
		return e
	}
	c := *e
	c.Code = Unknown
	return &c
}

func contextCode(err error) (Code, bool) {
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled, true
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded, true
	}
	return OK, false
}

func contextMessage(code Code) string {
	if code == Canceled {
		return "the call was canceled"
	}
	return "the deadline was exceeded"
}

// panicked says that a method of err has panicked, without asking err again.
func panicked(err error, value any) error {
	return fmt.Errorf("an error of type %T panicked: %v", err, value)
}

// newID returns 16 hexadecimal digits: unique enough to find one line in a log.
func newID() string {
	return fmt.Sprintf("%016x", rand.Uint64()) //nolint:gosec // it identifies, it does not protect
}
