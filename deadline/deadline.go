// Package deadline sees to it that nobody works for a caller who has gone, or surely will have by then.
//
// A deadline travels with each call by itself, on all transports. An Allowance shortens it on the way, so that what a call comes to still
// reaches the caller in time. A Guard refuses at once what cannot be done in the time that is left, by what it has seen of the operation.
// Both are made once, and their Middleware is for many endpoints. A deadline for calls that bring none is endpoint.Timeout's to set.
//
//	allowance, err := deadline.NewAllowance(10 * time.Millisecond)
//	guard, err := deadline.NewGuard()
//	place, err := httptransport.NewClient[*Order, *Receipt](spec.Client(), conn, "POST /orders")
//	place = endpoint.New(spec.Client(), place, allowance.Middleware, guard.Middleware)
//
//	httptransport.NewServer(spec, svc.Place, httptransport.ServerMiddleware(guard.Middleware)) // before decoding
package deadline

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// ReasonUnreachable is the Reason of the errors by which an Allowance and a Guard refuse a call. Their code is DeadlineExceeded.
const ReasonUnreachable = "DEADLINE_UNREACHABLE"

// The errors are made once, so that refusing costs next to nothing. On the client's side the request surely was not sent.
var (
	errTooShort    = refusal("the time that is left is less than the operation has ever taken of late")
	errPassed      = refusal("the deadline has passed")
	errNoAllowance = refusal("the time that is left is less than the allowance for the way back")

	errTooShortUnsent    = errTooShort.WithCause(transport.ErrNotSent)
	errPassedUnsent      = errPassed.WithCause(transport.ErrNotSent)
	errNoAllowanceUnsent = errNoAllowance.WithCause(transport.ErrNotSent)
)

func refusal(message string) *status.Error {
	return status.New(status.DeadlineExceeded, message).WithReason(ReasonUnreachable)
}

// refused returns the error of a call that is refused on the side of spec, and tells the transport of a server that nothing was begun. The
// errors are the same with and without ErrNotSent in the cause. A caller who has given up is told that.
func refused(ctx context.Context, spec endpoint.Spec, operation string, err, unsent *status.Error) error {
	if gone := ctx.Err(); errors.Is(gone, context.Canceled) {
		if spec.Side == endpoint.Client {
			return status.From(gone).WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, context.Cause(ctx)))
		}
		return status.From(gone)
	}
	if spec.Side == endpoint.Client {
		return unsent
	}
	transport.SetNotBegun(ctx, operation)
	return err
}

// failing is the handler of what nobody has made: a mistake in the program, which the first call tells.
func failing(err error) endpoint.Handler {
	return func(context.Context, any) (any, error) { return nil, err }
}
