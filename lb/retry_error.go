package lb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// RetryError is the cause of the *status.Error of a call that had several attempts, and holds all of them; what the caller sees, its code,
// message, reason and details, is the last attempt's. The error of a call with one attempt is that attempt's, as it is.
//
// Errors.Is and errors.As find what is in any attempt, the last first. But transport.ErrNotSent, ErrNotBegun and ErrWithheld are found
// only where they are true of all attempts: else the call may have been served.
type RetryError struct{ Attempts []Attempt }

// Attempt is one attempt of a call.
type Attempt struct {
	Instance sd.Instance // that was called; none where there was no instance, or the call ended before
	Err      error
}

// errOvertaken is the error of an attempt that was given up since another had ended the call.
var errOvertaken = errors.New("lb: it was given up, since another attempt ended the call")

// Error tells of each attempt.
func (e *RetryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d attempts failed", len(e.Attempts))
	separator := ": "
	for _, a := range e.Attempts {
		b.WriteString(separator)
		separator = "; "
		if a.Instance.Address != "" {
			fmt.Fprintf(&b, "%v: ", a.Instance)
		}
		b.WriteString(a.Err.Error())
	}
	return b.String()
}

// Is implements what errors.Is asks for.
func (e *RetryError) Is(target error) bool {
	switch target {
	case transport.ErrNotSent, transport.ErrWithheld:
		return !slices.ContainsFunc(e.Attempts, func(a Attempt) bool { return !errors.Is(a.Err, target) })
	case transport.ErrNotBegun:
		return !slices.ContainsFunc(e.Attempts, func(a Attempt) bool { return !transport.NotBegun(a.Err) })
	}
	return slices.ContainsFunc(e.Attempts, func(a Attempt) bool { return errors.Is(a.Err, target) })
}

// As implements what errors.As asks for.
func (e *RetryError) As(target any) bool {
	for _, a := range slices.Backward(e.Attempts) {
		if errors.As(a.Err, target) {
			return true
		}
	}
	return false
}

// joined is the error of a call with these attempts, of which there is at least one.
func joined(attempts []Attempt) error {
	last := attempts[len(attempts)-1].Err
	if len(attempts) == 1 {
		return last
	}
	return status.From(last).WithCause(&RetryError{Attempts: attempts})
}
