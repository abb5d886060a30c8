package inproc

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// caller is a client's context without its values.
type caller struct{ context.Context }

func (*caller) Value(any) any { return nil }

// AfterFunc lets the standard library's contexts below this one follow it without a goroutine.
func (c *caller) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.Context, f) }

// callContext is the context of one call on the server: the client's deadline and end, its own end, and the values of
// the server's side. Most calls need no channel for that, and have none until they ask for it.
type callContext struct {
	caller caller
	values context.Context
	own    atomic.Pointer[ownContext]
	ended  atomic.Bool
	mu     sync.Mutex // held to make own
}

// ownContext ends when the caller's does, or with the call.
type ownContext struct {
	context.Context

	cancel context.CancelFunc
}

func (c *callContext) Deadline() (time.Time, bool) { return c.caller.Deadline() }

func (c *callContext) Done() <-chan struct{} {
	if own := c.own.Load(); own != nil {
		return own.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.own.Load()
	if own == nil {
		own = new(ownContext)
		own.Context, own.cancel = context.WithCancel(&c.caller)
		c.own.Store(own)
	}
	if c.ended.Load() {
		own.cancel()
	}
	return own.Done()
}

func (c *callContext) Err() error {
	if own := c.own.Load(); own != nil {
		return own.Err()
	}
	return c.gone()
}

// Value finds what the server's side has put there, and own itself for the contexts below, which then need no goroutine
// to follow it.
func (c *callContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	if own := c.own.Load(); own != nil {
		return own.Value(key)
	}
	return nil
}

// gone is Err as the client sees it, which may be a moment before Done is closed.
func (c *callContext) gone() error {
	if err := c.caller.Err(); err != nil {
		return err
	}
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// end ends the context. Either it sees own, or whoever makes own at the same time sees that the call has ended.
func (c *callContext) end() {
	c.ended.Store(true)
	if own := c.own.Load(); own != nil {
		own.cancel()
	}
}
