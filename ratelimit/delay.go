package ratelimit

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"
)

// Waiter waits until something may be done, as *rate.Limiter does. It returns nil then, and an error when that would be after the deadline
// of ctx, at once if it can know, or when ctx has ended; then nothing is used up. It is safe for concurrent use.
type Waiter interface {
	Wait(ctx context.Context) error
}

// Delaying returns a Gate that delays calls until the limiter lets them through. None waits for longer than its own deadline and
// MaxWait allow: one that would have to is refused at once, with ResourceExhausted. So is one when MaxWaiters wait already. When the
// caller gives up, the wait ends, and its place is free for others.
//
// A limiter that has Allow too, as *rate.Limiter has, is asked that first, so that what need not wait costs no more than with Erroring; it
// must not allow what would overtake others that wait. The options that mean nothing to Erroring mean nothing here.
func Delaying(limiter Waiter, opts ...Option) (*Gate, error) {
	if missing(limiter) {
		return nil, errors.New("ratelimit: Delaying: the limiter is nil")
	}
	return newGate("Delaying", &Gate{waiter: limiter}, opts)
}

// wait waits for the limiter.
func (o *operation) wait(ctx context.Context) error {
	g := o.gate
	if limiter, ok := g.waiter.(Allower); ok && limiter.Allow() {
		return nil
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.maxWaiters) {
		return o.refuse(o.refusals.waiting.WithRetryAfter(g.queue()))
	}
	limited, cancel := context.WithTimeout(ctx, g.maxWait)
	defer cancel()
	err := g.waiter.Wait(limited)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ended(ctx, o.side)
	}
	return o.refuse(because(o.refusals.long.WithRetryAfter(g.queue()), err))
}

// filling is a limiter of which it is known how many events it has, less than none where others wait.
type filling interface {
	rated
	Tokens() float64
}

// queue returns how long it takes until all that wait have passed and there is an event more; 0 where the limiter does not say.
func (g *Gate) queue() time.Duration {
	limiter, ok := g.waiter.(filling)
	if !ok {
		return 0
	}
	return interval(1-limiter.Tokens(), limiter.Limit())
}

var _ filling = (*rate.Limiter)(nil)
