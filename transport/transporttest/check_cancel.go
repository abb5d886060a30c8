package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

var cancelChecks = []check{{
	name:   "CanceledBefore",
	clause: "a call whose context has been cancelled before is Canceled and not sent, and transport.ErrNotSent is found in its error",
	run: func(c *cell) error {
		ctx, cancel := context.WithCancel(c.ctx)
		cancel()
		return c.unsent(ctx, status.Canceled)
	},
}, {
	name: "Cancel",
	clause: "when the client's context is cancelled the call is Canceled; the server's context ends with Canceled as its cause, and its out " +
		"fails with Canceled",
	run: func(c *cell) error {
		type end struct{ cause, out error }
		began, ends := results[struct{}](), results[end]()
		call, err := c.open(service{stream: func(ctx context.Context, _ sequence, out func(Message) error) error {
			began <- ok(struct{}{})
			_ = c.pass(ctx, nil)
			ends <- ok(end{context.Cause(ctx), out(hello())})
			return ctx.Err()
		}})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		done := c.begin(ctx, call, c.requests(ctx), drop)
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		cancel()
		_, err = await(c, "the end of the call", done)
		errs := []error{coded(status.Canceled, err), found(context.Canceled, err)}
		e, err := await(c, "the end of the server's context", ends)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, canceled("the server's context", e.cause))
		if c.kind != endpoint.Unary {
			errs = append(errs, canceled("the server's out", e.out))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "CancelReading",
	clause: "when the client's context is cancelled the server's in ends with Canceled",
	kinds:  manyIn(),
	run: func(c *cell) error {
		began, ends := results[struct{}](), results[error]()
		call, err := c.open(service{stream: func(_ context.Context, in sequence, _ func(Message) error) error {
			for _, err := range in {
				if err != nil {
					ends <- ok(err)
					return err
				}
				began <- ok(struct{}{})
			}
			ends <- ok[error](nil)
			return nil
		}})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		done := c.begin(ctx, call, c.requests(ctx), drop)
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		cancel()
		_, callErr := await(c, "the end of the call", done)
		end, err := await(c, "the end of the server's in", ends)
		if err == nil {
			err = canceled("the server's in", end)
		}
		return errors.Join(coded(status.Canceled, callErr), err)
	},
}, {
	name:   "CancelAtOnce",
	clause: "a client whose context is cancelled does not wait for a server that takes no notice",
	run: func(c *cell) error {
		began := results[struct{}]()
		hold := make(gate)
		call, err := c.open(service{stream: func(context.Context, sequence, func(Message) error) error {
			began <- ok(struct{}{})
			return c.pass(context.Background(), hold)
		}})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		done := c.begin(ctx, call, c.requests(ctx), drop)
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		cancel()
		_, err = await(c, "the end of the call", done)
		close(hold)
		return coded(status.Canceled, err)
	},
}}

// unsent makes a call with a context that has ended, and fails unless it is not sent, with that code.
func (c *cell) unsent(ctx context.Context, code status.Code) error {
	var calls atomic.Int64
	call, err := c.open(service{stream: func(ctx context.Context, in sequence, out func(Message) error) error {
		calls.Add(1)
		return c.echo()(ctx, in, out)
	}})
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, call, hello())
	errs := []error{coded(code, err), found(transport.ErrNotSent, err)}
	errs = append(errs, c.try(call)) // one that had been sent before would have been served by now
	if n := calls.Load(); n != 1 {
		errs = append(errs, fmt.Errorf("the server was called %d times, want once", n))
	}
	return errors.Join(errs...)
}
