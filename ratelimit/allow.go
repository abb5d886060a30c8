package ratelimit

import (
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/status"
)

// Allower says at once whether something may be done now, as *rate.Limiter does. It is safe for concurrent use.
type Allower interface{ Allow() bool }

// Erroring returns a Gate that refuses a call when the limiter does not allow it. Refusals say when to come back where the limiter has
// a method Limit() rate.Limit, as *rate.Limiter has: after the time in which it gets one event more.
//
// The options By, OnEmptyKey, PerOperation, Cost, OnFailure, Unit and NoFields mean nothing to it: there is one limit for all calls, which
// costs one each, and callers are told about refusals only.
func Erroring(limiter Allower, opts ...Option) (*Gate, error) {
	if missing(limiter) {
		return nil, errors.New("ratelimit: Erroring: the limiter is nil")
	}
	return newGate("Erroring", &Gate{allower: limiter}, opts)
}

// rated is a limiter of which it is known how fast events come back.
type rated interface{ Limit() rate.Limit }

// paced is the refusal by a limiter as long as its rate is the same.
type paced struct {
	rate rate.Limit
	err  *status.Error
}

// disallowed returns the error of a call that an Allower has not allowed, or that has ended before it was asked.
func (o *operation) disallowed(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx, o.side)
	}
	return o.refuse(o.limited())
}

// limited returns the refusal by an Allower.
func (o *operation) limited() *status.Error {
	limiter, ok := o.gate.allower.(rated)
	if !ok {
		return o.refusals.limited
	}
	limit := limiter.Limit()
	p := o.paced.Load()
	if p == nil || p.rate != limit {
		p = &paced{rate: limit, err: o.refusals.after(interval(1, limit))}
		o.paced.Store(p)
	}
	return p.err
}

// interval returns how long it takes until so many events have come back, 0 where that is not known.
func interval(events float64, limit rate.Limit) time.Duration {
	d := math.Ceil(events / float64(limit) * float64(time.Second))
	if !(d > 0 && d <= float64(MaxFill)) {
		return 0
	}
	return time.Duration(d)
}
