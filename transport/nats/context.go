package natstransport

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// callContext is the context of one call on the server: it has the client's deadline, and ends when the client gives up, when the server
// does, or with the call. Most calls need no channel for that, and have none until they ask for it.
type callContext struct {
	deadline time.Time // zero for none
	own      atomic.Pointer[ownContext]
	cause    atomic.Pointer[status.Error]
	mu       sync.Mutex // held to make own
}

type ownContext struct {
	context.Context

	cancel context.CancelCauseFunc
	timer  context.CancelFunc // releases the timer of the deadline; nil without one
}

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

func (c *callContext) Done() <-chan struct{} {
	if own := c.own.Load(); own != nil {
		return own.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.own.Load()
	if own == nil {
		own = new(ownContext)
		base := context.Background()
		if !c.deadline.IsZero() {
			base, own.timer = context.WithDeadline(base, c.deadline)
		}
		own.Context, own.cancel = context.WithCancelCause(base)
		c.own.Store(own)
	}
	if cause := c.cause.Load(); cause != nil {
		own.end(cause)
	}
	return own.Done()
}

func (c *callContext) Err() error {
	if own := c.own.Load(); own != nil {
		return own.Err()
	}
	switch {
	case c.cause.Load() != nil:
		return context.Canceled
	case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		c.Done() // makes own, which keeps that it was the deadline
		return c.own.Load().Err()
	}
	return nil
}

// callKey is that of the callContext in the contexts below it.
type callKey struct{}

// Value finds own for the contexts below, which then need no goroutine to follow it.
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	if own := c.own.Load(); own != nil {
		return own.Value(key)
	}
	return nil
}

// end ends the context, the first time that it is called. Either it sees own, or whoever makes own at the same time sees the cause.
func (c *callContext) end(cause *status.Error) {
	if !c.cause.CompareAndSwap(nil, cause) {
		return
	}
	if own := c.own.Load(); own != nil {
		own.end(cause)
	}
}

func (o *ownContext) end(cause *status.Error) {
	o.cancel(cause)
	if o.timer != nil {
		o.timer()
	}
}
