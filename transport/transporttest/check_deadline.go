package transporttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var deadlineChecks = []check{{
	name:   "Deadline",
	clause: "the server's context has the client's deadline",
	run: func(c *cell) error {
		const length, inexact = time.Hour, time.Minute
		ctx, cancel := context.WithTimeout(c.ctx, length)
		defer cancel()
		want, _ := ctx.Deadline()
		call, err := c.open(service{stream: look(func(ctx context.Context) error {
			have, ok := ctx.Deadline()
			if !ok || have.Sub(want).Abs() > inexact {
				return c.wrong(fmt.Errorf("the deadline on the server is %v, want about %v", have, want))
			}
			return nil
		})})
		if err != nil {
			return err
		}
		_, err = c.ask(ctx, call, hello())
		return err
	},
}, {
	name:   "NoDeadline",
	clause: "the server's context has no deadline when the client's has none",
	run: func(c *cell) error {
		call, err := c.open(service{stream: look(func(ctx context.Context) error {
			if have, ok := ctx.Deadline(); ok {
				return c.wrong(fmt.Errorf("there is a deadline on the server, in %v", time.Until(have)))
			}
			return nil
		})})
		if err != nil {
			return err
		}
		return c.try(call)
	},
}, {
	name:   "DeadlinePassed",
	clause: "a call whose deadline has passed before is DeadlineExceeded and not sent, and transport.ErrNotSent is found in its error",
	run: func(c *cell) error {
		ctx, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Second))
		defer cancel()
		return c.unsent(ctx, status.DeadlineExceeded)
	},
}, {
	name:   "DeadlineEnds",
	clause: "when the deadline passes the call is DeadlineExceeded, and the server's context ends",
	run: func(c *cell) error {
		const most = 64 // doublings
		began, ends := make(chan struct{}, most), make(chan result[error], most)
		call, err := c.open(service{stream: func(ctx context.Context, _ sequence, _ func(Message) error) error {
			began <- struct{}{}
			_ = c.pass(ctx, nil)
			ends <- ok(ctx.Err())
			return ctx.Err()
		}})
		if err != nil {
			return err
		}
		for limit := 100 * time.Millisecond; ; limit *= 2 {
			ctx, cancel := context.WithTimeout(c.ctx, limit)
			err := c.call(ctx, call, c.requests(ctx), drop)
			cancel()
			if err := errors.Join(coded(status.DeadlineExceeded, err), found(context.DeadlineExceeded, err)); err != nil {
				return err
			}
			select {
			case <-began:
			default:
				if limit < c.patience {
					continue // it was too short to reach the server on this machine
				}
			}
			end, err := await(c, "the end of the server's context", ends)
			if err == nil && end == nil {
				err = errors.New("the server's context has not ended")
			}
			return err
		}
	},
}, {
	name:   "Timeout",
	clause: "an endpoint.Timeout as ServerMiddleware ends a unary call with DeadlineExceeded, and leaves streams alone",
	run: func(c *cell) error {
		limit := 50 * time.Millisecond
		call, err := c.open(service{
			stream: look(func(ctx context.Context) error {
				if c.kind == endpoint.Unary {
					_ = c.pass(ctx, nil)
					return ctx.Err()
				}
				if _, ok := ctx.Deadline(); ok {
					return c.wrong(errors.New("the stream has a deadline"))
				}
				return nil
			}),
			server: ServerHooks{Middleware: []endpoint.Middleware{endpoint.Timeout(limit)}},
		})
		if err != nil {
			return err
		}
		err = c.try(call)
		if c.kind == endpoint.Unary {
			return coded(status.DeadlineExceeded, err)
		}
		return err
	},
}}
