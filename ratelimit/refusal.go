package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// The reasons of the errors that a Gate ends calls with.
const (
	// ReasonLimited is that of ResourceExhausted: there is a limit, and it is used up for now.
	ReasonLimited = "RATE_LIMITED"
	// ReasonQuota is the same by a Gate whose limiter is a Quota.
	ReasonQuota = "QUOTA_EXCEEDED"
	// ReasonWaiting is that of ResourceExhausted where too many calls wait already.
	ReasonWaiting = "TOO_MANY_WAITING"
	// ReasonCost is that of InvalidArgument: the call costs more than there ever is at once, so that it will never pass.
	ReasonCost = "COST_EXCEEDS_LIMIT"
	// ReasonNoKey is that of InvalidArgument: the call does not say whose it is, and EmptyRefused was chosen.
	ReasonNoKey = "RATE_LIMIT_KEY_MISSING"
	// ReasonNoDecision is that of Unavailable: the limiter failed, and FailureAllow was not chosen.
	ReasonNoDecision = "RATE_LIMIT_UNAVAILABLE"
)

// refusals are the errors of one endpoint, made once: a refusal has to be cheap.
type refusals struct {
	limited, waiting, long, cost, noKey, noDecision *status.Error
}

func newRefusals(side endpoint.Side, reason, policy string) *refusals {
	refuse := func(code status.Code, reason, message string) *status.Error {
		e := status.New(code, message).WithReason(reason)
		if side == endpoint.Client {
			e.Cause = transport.ErrWithheld
		}
		return e
	}
	limited := "too many calls"
	if policy != "" {
		limited += ": the limit " + policy + " is used up"
	}
	const long = "too many calls: this one would have to wait for too long"
	return &refusals{
		limited:    refuse(status.ResourceExhausted, reason, limited),
		waiting:    refuse(status.ResourceExhausted, ReasonWaiting, "too many calls wait already"),
		long:       refuse(status.ResourceExhausted, reason, long),
		cost:       refuse(status.InvalidArgument, ReasonCost, "the call costs more than there ever is at once"),
		noKey:      refuse(status.InvalidArgument, ReasonNoKey, "the call does not say whose it is"),
		noDecision: refuse(status.Unavailable, ReasonNoDecision, "the limiter of rates does not answer"),
	}
}

// after returns the refusal of a call that may come back after d.
func (r *refusals) after(d time.Duration) *status.Error {
	if d <= 0 {
		return r.limited
	}
	return r.limited.WithRetryAfter(d)
}

// because returns e with a further cause.
func because(e *status.Error, err error) *status.Error {
	if e.Cause != nil {
		err = fmt.Errorf("%w: %w", e.Cause, err)
	}
	return e.WithCause(err)
}

// ended returns the error of a call whose context ended before it was let through.
func ended(ctx context.Context, side endpoint.Side) error {
	err := context.Cause(ctx)
	if side == endpoint.Client {
		err = fmt.Errorf("%w: %w", transport.ErrNotSent, err)
	}
	return status.From(ctx.Err()).WithCause(err)
}

// costly returns the error of a call that has a cost no limit has at once, or one that is less than 0, which is a mistake of the program.
func (r *refusals) costly(err *CostError) error {
	if err.Cost < 0 {
		return err
	}
	e := because(r.cost, err)
	e.Message = fmt.Sprintf("the call costs %d, and there is never more than %d at once", err.Cost, err.Limit.Capacity())
	return e
}

// asCost returns the CostError in err, or nil.
func asCost(err error) *CostError {
	if e, ok := errors.AsType[*CostError](err); ok {
		return e
	}
	return nil
}
