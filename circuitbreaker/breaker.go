package circuitbreaker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Breaker decides whether a call may be made, and is told how it went. Package circuitbreakertest checks all of this.
//
// Allow returns a nil error and the function done, which is to be called exactly once, when the call has ended, on any goroutine: with nil
// when the other side was well, with ErrIgnored, or an error that wraps it, when the call says nothing about that, and with any other error
// when it was not. Done takes no part in what errors mean: that is for its caller, as Middleware, to say. Or else Allow returns a nil done
// and an error that is ErrOpen by errors.Is, and in which errors.As finds an *OpenError where the Breaker knows when to come back.
//
// While all calls fail a Breaker comes to refuse nearly all of them, but lets one through from time to time; when those succeed, so do all
// others soon. Calls that are ignored neither open nor close it, and hold nothing when they have ended. One failure among many successes
// does not open it.
//
// It is safe for concurrent use, starts no goroutine, and neither Allow nor done blocks.
type Breaker interface {
	Allow() (done func(err error), err error)
}

// Doer is what some Breakers can be made as instead, since they make a call themselves at a lower cost than in the two steps of Allow.
// Middleware uses it for unary operations.
type Doer interface {
	// Do calls f with ctx and request, and returns what it returns, unless the breaker is open: then it returns an error as of
	// Breaker.Allow, and refused is true. Outcome is what done would be told. When f panics, or ends its goroutine by
	// runtime.Goexit, that counts as a failure, and goes on.
	Do(ctx context.Context, request any, f DoFunc) (response any, refused bool, err error)
}

// DoFunc is a call as a Doer makes it.
type DoFunc func(ctx context.Context, request any) (response any, outcome, err error)

// Reporter is a Breaker or a Doer that can say how it is, for Status.
type Reporter interface {
	// Report takes no longer than a call.
	Report() Report
}

// Report is how a breaker is at one moment.
type Report struct {
	State     State
	DropRatio float64 // the share of calls that are refused now, by probability, from 0 to 1
	// Successes and Failures count the calls that have ended so of late, in the time that the breaker looks at.
	Successes, Failures uint64
}

// State is that of a breaker.
type State uint8

// The states of a breaker.
const (
	Closed   State = iota // All calls are let through.
	HalfOpen              // Some are: to see whether the other side is well again, or as many as it can do with.
	Open                  // None are, but for one from time to time.
)

// String returns "closed", "half open" or "open".
func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case HalfOpen:
		return "half open"
	case Open:
		return "open"
	}
	return "unknown"
}

// ErrIgnored is told to done when a call says nothing about how the other side is, as when its caller gave it up.
var ErrIgnored = errors.New("the outcome says nothing")

// ErrOpen is found by errors.Is in the error of a call that a breaker of this process refused.
var ErrOpen = errors.New("the circuit breaker is open")

// OpenError is why a breaker refuses calls. It is ErrOpen by errors.Is.
type OpenError struct {
	RetryAfter time.Duration // until another attempt is worth making, 0 where that is not known
	Err        error         // what a library behind the breaker says, or nil
}

// Error says what ErrOpen does, and what the library says.
func (e *OpenError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%v: %v", ErrOpen, e.Err)
	}
	return ErrOpen.Error()
}

// Is says whether target is ErrOpen.
func (e *OpenError) Is(target error) bool { return target == ErrOpen }

// Unwrap returns what the library says.
func (e *OpenError) Unwrap() error { return e.Err }

// Policy makes breakers, as Adaptive does: one for each endpoint, or each of its keys.
type Policy interface {
	// Breaker returns a new one, which shares nothing with others. Changed is to be called at each change of the State, in the order in which
	// they happen, one at a time, the first from Closed; it does not block, and does not use the Breaker. Breaker fails for what the
	// Policy was given by mistake, each time or never.
	Breaker(changed func(from, to State)) (Breaker, error)
}

// DoerPolicy is a Policy that can make Doers.
type DoerPolicy interface {
	Policy
	// Doer is as Policy.Breaker.
	Doer(changed func(from, to State)) (Doer, error)
}

// PolicyFunc is a Policy that is a function.
type PolicyFunc func(changed func(from, to State)) (Breaker, error)

// Breaker calls f. It fails when f is nil.
func (f PolicyFunc) Breaker(changed func(from, to State)) (Breaker, error) {
	if f == nil {
		return nil, errors.New(prefix + "the PolicyFunc is nil")
	}
	return f(changed)
}
