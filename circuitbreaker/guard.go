package circuitbreaker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// ReasonOpen is the reason of the error of a call that a breaker refused.
const ReasonOpen = "CIRCUIT_OPEN"

// guard is a breaker with what the package itself knows of it.
type guard struct {
	breakers *Breakers
	id       ID
	breaker  Breaker // nil where there is doer
	doer     Doer
	reporter Reporter // nil where the breaker is none

	refused atomic.Uint64
	last    atomic.Pointer[refusal]
}

// refusal is an error for the caller, made once for an *OpenError.
type refusal struct {
	reason *OpenError
	shown  *status.Error
}

func (b *Breakers) newGuard(id ID, unary bool) (g *guard, err error) {
	g = &guard{breakers: b, id: id}
	changed := func(from, to State) { b.changes.add(Change{ID: id, From: from, To: to}) }
	if b.doers != nil && unary {
		if g.doer, err = b.doers.Doer(changed); err == nil && g.doer == nil {
			err = errors.New("the policy made a nil Doer")
		}
		g.reporter, _ = g.doer.(Reporter)
		return g, err
	}
	if g.breaker, err = b.policy.Breaker(changed); err == nil && g.breaker == nil {
		err = errors.New("the policy made a nil Breaker")
	}
	g.reporter, _ = g.breaker.(Reporter)
	return g, err
}

// spare says whether nothing is lost with the guard but that calls have succeeded.
func (g *guard) spare() bool {
	if g.reporter == nil {
		return false
	}
	r := g.reporter.Report()
	return r.State == Closed && r.Failures == 0
}

func (g *guard) status() Status {
	s := Status{ID: g.id, Refused: g.refused.Load()}
	if g.reporter != nil {
		s.Report = g.reporter.Report()
	}
	return s
}

// refuse counts a refusal, and returns what the caller gets.
func (g *guard) refuse(ctx context.Context, reason error) error {
	g.refused.Add(1)
	g.tell(ctx, g.breakers.config.refused)
	if g.id.Side == endpoint.Server {
		transport.SetNotBegun(ctx, g.id.Operation)
	}
	known, ok := errors.AsType[*OpenError](reason)
	if !ok {
		return g.shown(reason, nil)
	}
	if last := g.last.Load(); last != nil && last.reason == known {
		return last.shown
	}
	shown := g.shown(reason, known)
	g.last.Store(&refusal{reason: known, shown: shown})
	return shown
}

// tell tells all, even if one panics.
func (g *guard) tell(ctx context.Context, all []func(ctx context.Context, id ID)) {
	if len(all) == 0 {
		return
	}
	defer g.tell(ctx, all[1:])
	all[0](ctx, g.id)
}

// shown is the error for a caller.
func (g *guard) shown(reason error, known *OpenError) *status.Error {
	cause := reason
	if !errors.Is(cause, ErrOpen) {
		cause = fmt.Errorf("%w: %w", ErrOpen, cause)
	}
	if g.id.Instance != "" {
		cause = fmt.Errorf("instance %s: %w", g.id.Instance, cause)
	}
	if g.id.Side == endpoint.Client {
		cause = fmt.Errorf("%w: %w", transport.ErrWithheld, cause)
	}
	e := status.New(status.Unavailable, "too many calls of "+g.id.Operation+" have failed").WithReason(ReasonOpen).WithCause(cause)
	if known != nil {
		e = e.WithRetryAfter(known.RetryAfter)
	}
	return e
}
