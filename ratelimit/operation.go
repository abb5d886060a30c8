package ratelimit

import (
	"context"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// operation is one operation, on one side, behind a Gate.
type operation struct {
	gate     *Gate
	name     string
	side     endpoint.Side
	prefix   string // of keys, where each operation has its own
	refusals *refusals

	paced atomic.Pointer[paced]  // the refusal by a rate
	told  atomic.Pointer[policy] // the RateLimit-Policy of the last limit

	refused, failed, noKey atomic.Uint64
}

// take asks the limiter.
func (o *operation) take(ctx context.Context, request any, call bool) error {
	g := o.gate
	key, n, err := o.keyAndCost(ctx, request)
	if err != nil || n == 0 {
		return err
	}
	d, err := g.limiter.Take(ctx, key, n)
	if err != nil {
		return o.undecided(ctx, err)
	}
	if g.failing.Load() && g.failing.CompareAndSwap(true, false) {
		g.tell(Event{Kind: LimiterBack, Operation: o.name, Side: o.side, Policy: g.policy})
	}
	if call && g.fields {
		o.tellCaller(ctx, d)
	}
	if d.Allowed {
		return nil
	}
	return o.refuse(o.refusals.after(d.RetryAfter))
}

// keyAndCost returns what to take; a cost of 0 is nothing.
func (o *operation) keyAndCost(ctx context.Context, request any) (key string, n int, err error) {
	g := o.gate
	if n = 1; g.cost != nil {
		if n, err = g.cost(ctx, request); err != nil || n == 0 {
			return "", 0, err
		}
	}
	if g.key == nil {
		return o.prefix, n, nil
	}
	if key, err = g.key(ctx, request); err != nil {
		return "", 0, err
	}
	if key == "" {
		o.noKey.Add(1)
		switch g.emptyKey {
		case EmptyRefused:
			return "", 0, o.refuse(o.refusals.noKey)
		case EmptyUnlimited:
			return "", 0, nil
		case EmptyShared:
		}
	}
	if o.prefix != "" {
		key = o.prefix + " " + key
	}
	return key, n, nil
}

// undecided is what becomes of a call that the limiter had no decision for.
func (o *operation) undecided(ctx context.Context, err error) error {
	g := o.gate
	if costly := asCost(err); costly != nil {
		return o.refuse(o.refusals.costly(costly))
	}
	if ctx.Err() != nil {
		return ended(ctx, o.side)
	}
	o.failed.Add(1)
	if g.failing.CompareAndSwap(false, true) {
		g.tell(Event{Kind: LimiterFailed, Operation: o.name, Side: o.side, Policy: g.policy, Err: err})
	}
	if g.failure == FailureAllow {
		return nil
	}
	return o.refuse(because(o.refusals.noDecision, err))
}

// refuse counts a refusal, and returns it.
func (o *operation) refuse(err error) error {
	o.refused.Add(1)
	o.gate.tell(Event{Kind: Refused, Operation: o.name, Side: o.side, Policy: o.gate.policy, Err: err})
	return err
}

// notBegun says to the caller that nothing further in has seen a call that ends with err.
func (o *operation) notBegun(ctx context.Context, err error) error {
	if o.side == endpoint.Server && status.As(err) != nil {
		transport.SetNotBegun(ctx, o.name)
	}
	return err
}

// served returns the Info of the call if it is this operation that is served, and not one that calls this within its process: that has
// begun, and its caller does not know of this.
func (o *operation) served(ctx context.Context) *transport.Info {
	if o.side == endpoint.Server {
		if info := transport.FromContext(ctx); info != nil && info.Operation == o.name {
			return info
		}
	}
	return nil
}
