package deadline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Allowance shortens the deadline of a call, so that its answer, the news that there was none in time, or what endpoint.Fallback says in
// its place, still reaches the caller. NewAllowance makes it; the zero value refuses all calls. It is safe for concurrent use.
type Allowance struct {
	keep       time.Duration
	share      float64
	operations operations[allowed]
}

// AllowanceOption sets up an Allowance. One that is given twice replaces the earlier.
type AllowanceOption func(*Allowance) error

// What an allowance may be: less is over before an answer has gone any way.
const (
	minAllowance = 10 * time.Microsecond
	minShare     = 0.001
)

// AllowanceShare keeps back a share of the time that is left, 0.001 or more and less than 1, where that is more than the fixed allowance.
// The default is none.
func AllowanceShare(share float64) AllowanceOption {
	return func(a *Allowance) error {
		a.share = share
		if !(share >= minShare && share < 1) {
			return fmt.Errorf("AllowanceShare(%v): want %v or more, and less than 1", share, minShare)
		}
		return nil
	}
}

// NewAllowance returns an Allowance of keep: each call gets the time that its caller has left, less that. Keep should cover the way back of
// an answer and what the caller does with it: some milliseconds within a data centre, a round trip between two. It may be 10 µs to 24 h,
// or 0 with AllowanceShare. It fails for another, and for a wrong option.
func NewAllowance(keep time.Duration, opts ...AllowanceOption) (*Allowance, error) {
	a := &Allowance{keep: keep}
	if err := option.Set(a, opts); err != nil {
		return nil, fmt.Errorf("deadline: NewAllowance: %w", err)
	}
	if keep == 0 && a.share == 0 {
		return nil, errors.New("deadline: NewAllowance(0s) without AllowanceShare: want an allowance")
	}
	if keep != 0 {
		if err := option.Within("NewAllowance", keep, minAllowance, maxGuard); err != nil {
			return nil, fmt.Errorf("deadline: %w", err)
		}
	}
	return a, nil
}

var errZeroAllowance = errors.New("deadline: an Allowance that NewAllowance has not made")

// Middleware is the endpoint.Middleware. It is meant for clients: around a client, or a whole lb.Endpoint, what is shortened is the
// deadline of the context that it is called with, within a server that of the call being served. On a server it leaves that server the
// time to answer.
//
// A call whose remaining time is not more than the allowance is refused at once with DeadlineExceeded and ReasonUnreachable; on a client
// errors.Is finds transport.ErrNotSent, on a server the transport is told transport.NotBegunHeader. Calls without a deadline and streams
// pass untouched.
func (a *Allowance) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if spec.Kind != endpoint.Unary {
		return next
	}
	if a == nil || a.keep == 0 && a.share == 0 {
		return failing(errZeroAllowance)
	}
	o, operation := a.operations.of(spec), spec.Operation()
	return func(ctx context.Context, request any) (any, error) {
		deadline, limited := ctx.Deadline()
		if !limited {
			return next(ctx, request)
		}
		keep, left := a.keep, time.Until(deadline)
		if a.share > 0 {
			keep = max(keep, time.Duration(a.share*float64(left)))
		}
		if left <= keep {
			o.refused.Add(1)
			return nil, refused(ctx, spec, operation, errNoAllowance, errNoAllowanceUnsent)
		}
		ctx, cancel := context.WithDeadline(ctx, deadline.Add(-keep))
		defer cancel()
		return next(ctx, request)
	}
}

// AllowanceStatus is what became of an operation.
type AllowanceStatus struct {
	Operation string
	Side      endpoint.Side
	Refused   uint64 // calls whose remaining time was not more than the allowance
}

// Status returns what became of each operation that Middleware decorates, sorted by name.
func (a *Allowance) Status() []AllowanceStatus {
	if a == nil {
		return nil
	}
	var all []AllowanceStatus
	for key, o := range a.operations.all() {
		all = append(all, AllowanceStatus{Operation: key.operation, Side: key.side, Refused: o.refused.Load()})
	}
	return all
}
