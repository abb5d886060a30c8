package lb

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// binder makes what is called of the client of an instance, an endpoint or a stream, once for each instance.
type binder[C, T any] struct {
	pool      *Pool[C]
	operation string
	number    int // of the endpoint, in node.bound
	make      func(client C) (T, error)
}

func newBinder[C, T any](pool *Pool[C], operation string, bind func(client C) (T, error)) binder[C, T] {
	return binder[C, T]{pool: pool, operation: operation, number: int(pool.binds.Add(1)) - 1, make: bind}
}

// pick begins a call of an instance, as Pool.pick, and returns what is to be called. When it fails no call has begun; Node is the
// instance that it failed with, if it came to one.
func (b *binder[C, T]) pick(ctx context.Context, tried Tried) (c call[C], do T, err error) {
	if c, err = b.pool.pick(ctx, tried); err != nil {
		return c, do, err
	}
	if all := c.node.bound.Load(); all != nil && b.number < len(*all) {
		if do, ok := (*all)[b.number].(T); ok {
			return c, do, nil
		}
	}
	do, err = b.first(c)
	return c, do, err
}

// first is for the first call of an instance.
func (b *binder[C, T]) first(c call[C]) (do T, err error) {
	ok := false
	defer func() {
		if !ok { // bind has panicked, or failed, which is not the instance's fault
			b.pool.release(c.node)
		}
	}()
	c.node.binding.Lock()
	defer c.node.binding.Unlock()
	var bound []any
	if all := c.node.bound.Load(); all != nil {
		bound = *all
	}
	if b.number < len(bound) {
		if do, ok = bound[b.number].(T); ok {
			return do, nil
		}
	}
	if do, err = b.make(c.node.client); err != nil {
		return do, status.New(status.Internal, "a client of "+b.operation+" could not be made").
			WithCause(fmt.Errorf("%w: lb: binding to %v: %w", transport.ErrNotSent, c.node.Instance(), err))
	}
	ok = true
	all := make([]any, max(b.number+1, int(b.pool.binds.Load())))
	copy(all, bound)
	all[b.number] = do
	c.node.bound.Store(&all)
	return do, nil
}

var errBoundNil = errors.New("bind returned nil")
