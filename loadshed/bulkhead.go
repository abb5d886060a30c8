package loadshed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Bulkhead keeps the calls of one thing, such as a dependency that is slow at times, from taking up all of a process: it lets a fixed
// number pass at a time, and lets some others wait in the order in which they came. NewBulkhead makes it. It is safe for concurrent use,
// has no goroutine, and needs no closing.
type Bulkhead struct {
	gate

	patience time.Duration
	tickets  tickets
	table    *table
	full     atomic.Uint64
	late     atomic.Uint64
}

// BulkheadOption sets up a Bulkhead. One that is given twice replaces the earlier.
type BulkheadOption func(*bulkheadConfig) error

type bulkheadConfig struct {
	wait       time.Duration
	room       int
	retryAfter time.Duration
}

// BulkheadWait lets up to room calls wait, each for no longer than the time. Without it none waits.
func BulkheadWait(limit time.Duration, room int) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.wait, c.room = limit, room
		return errors.Join(option.Positive("BulkheadWait", limit), option.Within("BulkheadWait: room", room, 1, MaxLimit))
	}
}

// BulkheadRetryAfter is what a caller that is refused is told to wait before it tries again, from half of it to one and a half. The
// default is DefaultRetryAfter.
func BulkheadRetryAfter(wait time.Duration) BulkheadOption {
	return func(c *bulkheadConfig) error {
		c.retryAfter = wait
		return option.Within("BulkheadRetryAfter", wait, 1, mostRetryAfter)
	}
}

// ReasonBulkhead is the reason of the status of a call that a Bulkhead has refused.
const ReasonBulkhead = "BULKHEAD_FULL"

// NewBulkhead makes a Bulkhead that lets calls pass at a time, from 1 to MaxLimit. It fails when that, or an option, is wrong.
func NewBulkhead(calls int, opts ...BulkheadOption) (*Bulkhead, error) {
	c := bulkheadConfig{retryAfter: DefaultRetryAfter}
	if err := errors.Join(option.Within("calls", calls, 1, MaxLimit), option.Set(&c, opts)); err != nil {
		return nil, fmt.Errorf("loadshed: NewBulkhead: %w", err)
	}
	b := &Bulkhead{patience: c.wait, table: newTable(ReasonBulkhead, "too many calls at a time; try again later", c.retryAfter)}
	b.start, b.room, b.line.queues[ordinary].wait = time.Now(), c.room, c.wait
	b.limit.Store(int64(calls))
	return b, nil
}

// Acquire begins a call, or says why it is refused: with an Unavailable that ErrRefused is found in, or with the error of ctx, when that
// ends while the call waits. When there is no error the caller calls done when the call has ended, once: a second time does nothing,
// unless another call was begun meanwhile, which it could end too early. What error done is given does not matter. It does not allocate.
func (b *Bulkhead) Acquire(ctx context.Context) (done func(err error), err error) {
	if v := b.begin(ctx); v != granted {
		return nil, b.table.refusal(ctx, v, endpoint.Server)
	}
	return b.tickets.take(b, 0), nil
}

func (b *Bulkhead) begin(ctx context.Context) verdict {
	if _, ok := b.enter(); ok {
		return granted
	}
	v := b.queue(ctx)
	switch v {
	case full:
		b.full.Add(1)
	case late:
		b.late.Add(1)
	}
	return v
}

func (b *Bulkhead) queue(ctx context.Context) verdict {
	if ctx.Err() != nil {
		return gone
	}
	b.mu.Lock()
	if _, ok := b.enter(); ok {
		b.mu.Unlock()
		return granted
	}
	if b.line.len >= b.room {
		b.mu.Unlock()
		return full
	}
	now := b.now()
	w := b.join(now, ordinary)
	b.dispatch(now)
	b.mu.Unlock()
	return b.await(ctx, w, b.patience)
}

func (b *Bulkhead) finish(time.Duration, error) {
	if b.exit(true) {
		b.mu.Lock()
		b.dispatch(b.now())
		b.mu.Unlock()
	}
}

// Middleware is an endpoint.Middleware that asks the Bulkhead for each call, on a server or on a client. All endpoints that it decorates
// share it. A stream counts as long as it lives. Calls that are refused end as those of Shedder.Middleware do, but with the reason
// BULKHEAD_FULL.
func (b *Bulkhead) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	place := placeOf(spec)
	return func(ctx context.Context, request any) (any, error) {
		if v := b.begin(ctx); v != granted {
			return nil, place.refusal(ctx, b.table, v)
		}
		defer b.finish(0, nil)
		return next(ctx, request)
	}
}

// BulkheadStatus is what a Bulkhead knows at one moment.
type BulkheadStatus struct {
	Limit, InProgress, Waiting int    // calls
	Full, Late                 uint64 // calls that were refused, since there was no room to wait, and since they had waited too long
}

// Status returns what is known. It is for pages and metrics.
func (b *Bulkhead) Status() BulkheadStatus {
	w := word(b.word.Load())
	return BulkheadStatus{
		Limit: int(b.limit.Load()), InProgress: w.inProgress(), Waiting: w.waiting(), Full: b.full.Load(), Late: b.late.Load(),
	}
}
