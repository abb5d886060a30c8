package circuitbreaker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// IsFailure says whether an error speaks against the other side, as lb.IsFailure does: Unavailable, Internal, Unknown, DataLoss and
// DeadlineExceeded do. What the caller did wrong does not, nor that it left less time than the operation takes, with the reason
// DEADLINE_UNREACHABLE (package deadline), nor ResourceExhausted: with that, one who is over a quota of his own would close an endpoint to
// all others. Where it says that the service is full, add it with Codes.
func IsFailure(err error) bool {
	switch status.CodeOf(err) {
	case status.Unavailable, status.Internal, status.Unknown, status.DataLoss:
		return true
	case status.DeadlineExceeded:
		return !hasty(err)
	}
	return false
}

// hasty says whether a call was refused since its caller had left too little time.
func hasty(err error) bool {
	e := status.As(err)
	return e != nil && e.Code == status.DeadlineExceeded && e.Reason == "DEADLINE_UNREACHABLE"
}

// Codes returns what says whether an error has one of these codes, for Failure. It panics without any, for OK, which no error has, and for
// what is no code.
func Codes(codes ...status.Code) func(err error) bool {
	if len(codes) == 0 {
		panic(prefix + "Codes(): want one at least; Failure takes a function of your own for none")
	}
	for _, code := range codes {
		if code == status.OK || !code.Valid() {
			panic(fmt.Sprintf(prefix+"Codes(%v): want codes of errors", code))
		}
	}
	codes = slices.Clone(codes)
	return func(err error) bool { return slices.Contains(codes, status.CodeOf(err)) }
}

// errNotReturned is the outcome of a call that panicked or ended its goroutine.
var errNotReturned = errors.New(prefix + "the call did not return")

// outcome is what a breaker on that side is told of a call that returned err: nil, ErrIgnored, or err where that is a failure.
//
// Nothing is said by what the caller itself canceled, or somebody on the way; by what another breaker or a limiter of this process
// withheld, so that a breaker does not open because one further in has, nor stays open for that; by what was refused since its caller had
// left too little time; and by what a client could not send for a reason that is not the other side's.
func (b *Breakers) outcome(ctx context.Context, side endpoint.Side, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, transport.ErrWithheld), hasty(err),
		side == endpoint.Client && unsendable(err):
		return ErrIgnored
	case b.config.failure(err):
		return err
	case status.CodeOf(err) == status.Canceled:
		return ErrIgnored
	}
	return nil
}

// unsendable says whether a call failed before it was sent, and not since the other side could not be reached: it could not be encoded, or
// a limiter refused it.
func unsendable(err error) bool {
	if !errors.Is(err, transport.ErrNotSent) {
		return false
	}
	code := status.CodeOf(err)
	return code != status.Unavailable && code != status.DeadlineExceeded
}
