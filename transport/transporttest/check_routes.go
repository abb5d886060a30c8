package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var routeChecks = []check{{
	name:   "NoServer",
	clause: "an operation that nobody serves is Unimplemented",
	run: func(c *cell) error {
		link, err := c.serve(service{stream: c.echo()})
		if err != nil {
			return err
		}
		spec := c.spec(c.kind)
		spec.Method = "Other"
		call, err := c.client(link, spec, ClientHooks{})
		if err != nil {
			return err
		}
		return coded(status.Unimplemented, c.try(call))
	},
}, {
	name:   "WrongShape",
	clause: "a unary client of a stream, and a stream client of a unary operation, get an error",
	run: func(c *cell) error {
		var errs []error
		for _, kind := range c.h.Kinds {
			if (kind == endpoint.Unary) == (c.kind == endpoint.Unary) {
				continue
			}
			link, err := c.serve(service{stream: c.echo(), kind: kind})
			if err != nil {
				return err
			}
			call, err := c.client(link, c.spec(c.kind), ClientHooks{})
			if err != nil {
				return err
			}
			err = c.try(call)
			if status.As(err) == nil || isHang(err) {
				errs = append(errs, fmt.Errorf("calling a %v operation: want a *status.Error, have %w", kind, told(err)))
			}
		}
		return errors.Join(errs...)
	},
}, {
	name:   "Shutdown",
	clause: "a graceful end lets a unary call finish, and refuses later ones as Unavailable",
	kinds:  []endpoint.Kind{endpoint.Unary},
	run: func(c *cell) error {
		began, hold := results[struct{}](), make(gate, 1)
		var calls atomic.Int64
		link, call, err := c.link(service{stream: reply(func(ctx context.Context, m Message) (Message, error) {
			if calls.Add(1) > 1 {
				return m, nil
			}
			began <- ok(struct{}{})
			return m, c.pass(ctx, hold)
		})})
		if err != nil {
			return err
		}
		defer close(hold)
		first := c.begin(c.ctx, call, endpoint.Seq(hello()), drop)
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.patience)
		defer cancel()
		down := c.start(func() error { return link.Shutdown(ctx) })
		if err := c.refused(call); err != nil {
			return err
		}
		hold <- struct{}{}
		_, firstErr := await(c, "the call that was accepted", first)
		_, downErr := await(c, "the end of the server", down)
		return errors.Join(firstErr, downErr, coded(status.Unavailable, c.try(call)))
	},
}, {
	name:   "ShutdownOfStreams",
	clause: "a graceful end ends streams, whose clients get Unavailable, and whose servers' contexts end",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		began, ends := results[struct{}](), results[error]()
		link, call, err := c.link(service{stream: func(ctx context.Context, _ sequence, _ func(Message) error) error {
			began <- ok(struct{}{})
			_ = c.pass(ctx, nil)
			ends <- ok(ctx.Err())
			return ctx.Err()
		}})
		if err != nil {
			return err
		}
		first := c.begin(c.ctx, call, c.requests(c.ctx), drop)
		if _, err := await(c, "the server", began); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.patience)
		defer cancel()
		down := c.start(func() error { return link.Shutdown(ctx) })
		if _, err := await(c, "the end of the server's context", ends); err != nil {
			return err
		}
		_, firstErr := await(c, "the end of the call", first)
		_, downErr := await(c, "the end of the server", down)
		return errors.Join(coded(status.Unavailable, firstErr), downErr, coded(status.Unavailable, c.try(call)))
	},
}, {
	name:   "Closed",
	clause: "when everything is closed calls are Unavailable",
	run: func(c *cell) error {
		call, err := c.open(service{stream: c.echo()})
		if err != nil {
			return err
		}
		err = c.try(call)
		return errors.Join(err, c.close(), coded(status.Unavailable, c.try(call)))
	},
}}

// refused makes calls until one is refused, as they are when the server has begun to end.
func (c *cell) refused(call stream) error {
	const pause = 10 * time.Millisecond
	for until := time.Now().Add(c.patience); time.Now().Before(until); {
		if err := c.try(call); err != nil {
			return coded(status.Unavailable, err)
		}
		<-time.After(pause)
	}
	return errors.New("calls are still accepted although the server ends")
}
