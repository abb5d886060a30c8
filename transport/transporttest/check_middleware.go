package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var middlewareChecks = []check{{
	name: "ServerMiddleware",
	clause: "a ServerMiddleware is built once, with the Spec of the server's side, and runs once per call, whatever the number of messages; " +
		"the endpoint has its context",
	run: func(c *cell) error {
		type key struct{}
		var built, ran atomic.Int64
		mw := func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			built.Add(1)
			if want := c.spec(c.kind).Server(); spec != want {
				_ = c.wrong(fmt.Errorf("the Spec is %+v, want %+v", spec, want))
			}
			return func(ctx context.Context, request any) (any, error) {
				return next(context.WithValue(ctx, key{}, ran.Add(1)), request)
			}
		}
		call, err := c.open(service{
			stream: func(ctx context.Context, in sequence, out func(Message) error) error {
				if have, want := ctx.Value(key{}), ran.Load(); have != want {
					_ = c.wrong(fmt.Errorf("the endpoint's context has %v of the middleware, want %d", have, want))
				}
				if c.kind == endpoint.Unary || c.kind == endpoint.ClientStream {
					return c.echo()(ctx, in, out)
				}
				_, err := gather(in) // and no response
				return err
			},
			server: ServerHooks{Middleware: []endpoint.Middleware{mw}},
		})
		if err != nil {
			return err
		}
		const calls = 3
		for i := range calls {
			if _, err := c.ask(c.ctx, call, make([]Message, c.many(i, manyIn()))...); err != nil {
				return err
			}
		}
		if built.Load() != 1 || ran.Load() != calls {
			return fmt.Errorf("the middleware was built %d times and ran %d times, want once and %d", built.Load(), ran.Load(), calls)
		}
		return nil
	},
}, {
	name:   "Refusal",
	clause: "a ServerMiddleware refuses a call before anything is decoded: its error is the client's, also of what could not be decoded",
	run: func(c *cell) error {
		refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
			return func(context.Context, any) (any, error) { return nil, status.New(status.Unauthenticated, "who?") }
		}
		call, err := c.open(service{
			stream: func(context.Context, sequence, func(Message) error) error {
				return c.wrong(errors.New("the endpoint was called"))
			},
			server: ServerHooks{Middleware: []endpoint.Middleware{refuse}},
		})
		if err != nil {
			return err
		}
		var errs []error
		for _, request := range []Message{hello(), {Text: Garbled}} {
			_, err := c.ask(c.ctx, call, request)
			errs = append(errs, same(status.New(status.Unauthenticated, "who?"), err))
		}
		return errors.Join(errs...)
	},
}, {
	name: "MiddlewareEnd",
	clause: "a stream ends when the context does that its ServerMiddleware passed on: the client has the cause at once, the server's in, " +
		"which waits for what never comes, ends with an error, and out fails",
	kinds: streamKinds(),
	run: func(c *cell) error {
		expired := status.New(status.Unauthenticated, "you were somebody")
		waits, ended := make(gate), results[error]()
		limit := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
			return func(ctx context.Context, request any) (any, error) {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				go func() {
					_ = c.pass(ctx, waits)
					cancel(expired)
				}()
				return next(ctx, request)
			}
		}
		call, err := c.open(service{
			stream: func(ctx context.Context, in sequence, out func(Message) error) error {
				if !c.has(manyIn()) {
					close(waits)
					_ = c.pass(ctx, nil)
				}
				var inErr error
				for _, inErr = range in {
					if inErr == nil && c.has(manyIn()) {
						close(waits)
					}
				}
				ended <- ok(errors.Join(
					when(inErr == nil && c.has(manyIn()), "in ended without an error"), when(c.has(manyOut()) && out(hello()) == nil, "out did not fail")))
				return nil
			},
			server: ServerHooks{Middleware: []endpoint.Middleware{limit}},
		})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		_, err = await(c, "the end of the call", c.begin(ctx, call, c.requests(ctx), drop))
		err = same(expired, err)
		wrong, hang := await(c, "the end of the endpoint", ended)
		return errors.Join(err, wrong, hang)
	},
}, {
	name:   "MessageHooks",
	clause: "a middleware of the endpoint sees each message of a stream both ways with the hooks of Messages, on the server and on the client",
	kinds:  streamKinds(),
	run: func(c *cell) error {
		const n = 3
		var in, out [2]atomic.Int64 // on the server and on the client
		counting := func(side int) endpoint.Middleware {
			return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
				return func(ctx context.Context, request any) (any, error) {
					m, ok := request.(*endpoint.Messages)
					if !ok {
						return nil, c.wrong(fmt.Errorf("the request is a %T", request))
					}
					count := func(number *atomic.Int64) func(any) error {
						return func(message any) error {
							if _, ok := message.(Message); !ok {
								return c.wrong(fmt.Errorf("the message is a %T", message))
							}
							number.Add(1)
							return nil
						}
					}
					return next(ctx, m.WithHooks(count(&in[side]), count(&out[side])))
				}
			}
		}
		call, err := c.open(service{stream: c.echo(), around: []endpoint.Middleware{endpoint.Recover(), counting(0)}})
		if err != nil {
			return err
		}
		call = endpoint.NewStream(c.spec(c.kind).Client(), call, counting(1))
		requests := make([]Message, c.many(n, manyIn()))
		responses, err := c.ask(c.ctx, call, requests...)
		if err != nil {
			return err
		}
		for side, name := range []string{"server", "client"} {
			if have := in[side].Load(); have != int64(len(requests)) {
				err = errors.Join(err, fmt.Errorf("the %s's middleware saw %d requests, want %d", name, have, len(requests)))
			}
			if have := out[side].Load(); have != int64(len(responses)) {
				err = errors.Join(err, fmt.Errorf("the %s's middleware saw %d responses, want %d", name, have, len(responses)))
			}
		}
		return err
	},
}, {
	name:   "Validation",
	clause: "a request that endpoint.Validate refuses is InvalidArgument with its violations; on a stream, after the requests that passed",
	run: func(c *cell) error {
		violation := status.Violation{Field: "number", Description: "must not be negative"}
		validate := endpoint.ValidateFunc(func(m Message) error {
			if m.Number < 0 {
				return violation
			}
			return nil
		})
		var passed atomic.Int64
		call, err := c.open(service{
			stream: func(_ context.Context, in sequence, out func(Message) error) error {
				for _, err := range in {
					if err != nil {
						return err
					}
					passed.Add(1)
				}
				return out(hello())
			},
			around: []endpoint.Middleware{endpoint.Recover(), validate},
		})
		if err != nil {
			return err
		}
		requests := []Message{{Number: -1}}
		if c.has(manyIn()) {
			requests = []Message{{Number: 1}, {Number: 2}, {Number: -1}, {Number: 3}}
		}
		_, err = c.ask(c.ctx, call, requests...)
		err = same(status.As(status.Invalid(violation)), err)
		if have, want := passed.Load(), int64(len(requests)/2); have != want {
			err = errors.Join(err, fmt.Errorf("%d requests reached the endpoint", have))
		}
		return err
	},
}}
