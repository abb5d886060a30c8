package transporttest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// explosive is a server that panics at one of several places, as long as it is armed.
type explosive struct {
	place string
	armed atomic.Bool
}

func (e *explosive) at(place string) {
	if e.place == place && e.armed.Load() {
		panic("postgres://" + secret)
	}
}

// service returns the server, whose outcomes go to the channel.
func (e *explosive) service(c *cell, outcomes chan<- result[Outcome]) service {
	s := service{
		stream: func(ctx context.Context, in sequence, out func(Message) error) error {
			e.at("endpoint")
			return c.echo()(ctx, in, out)
		},
		server: ServerHooks{
			Before: []func(context.Context) context.Context{func(ctx context.Context) context.Context { e.at("ServerBefore"); return ctx }},
			After:  []func(context.Context){func(context.Context) { e.at("ServerAfter") }},
			Middleware: []endpoint.Middleware{func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
				return func(ctx context.Context, request any) (any, error) {
					e.at("ServerMiddleware")
					return next(ctx, request)
				}
			}},
			Finalizer: []func(context.Context, Outcome){func(_ context.Context, o Outcome) { outcomes <- ok(o) }},
		},
	}
	if e.place == "endpoint under Recover" {
		e.place = "endpoint"
		s.around = []endpoint.Middleware{endpoint.Recover()}
	}
	return s
}

var panicChecks = []check{{
	name: "Panics",
	clause: "a panic in the endpoint, in a ServerMiddleware or in a hook is Internal with an ID for the client, and a *PanicError with its " +
		"stack for the finalizers; the server goes on",
	run: func(c *cell) error {
		var errs []error
		for _, place := range []string{"endpoint", "endpoint under Recover", "ServerMiddleware", "ServerBefore", "ServerAfter"} {
			errs = append(errs, within(place, c.explode(place)))
		}
		return errors.Join(errs...)
	},
}, {
	name:   "PanicAfterMessages",
	clause: "what a stream sent before it panicked arrives, and then Internal",
	kinds:  manyOut(),
	run: func(c *cell) error {
		return c.broken(func() error { panic(secret) }, func(err error) error {
			return errors.Join(coded(status.Internal, err), silent(err))
		})
	},
}, {
	name: "PanicOfOut",
	clause: "a panic in the out of a client is the panic of its caller; the server is told that the client broke off, and of no panic of " +
		"its own",
	kinds: manyOut(),
	run: func(c *cell) error {
		return c.clientPanics(c.flooding, func(ctx context.Context, call stream) error {
			return call(ctx, c.requests(ctx), func(Message) error { panic("a client's own") })
		}, false)
	},
}, {
	name: "PanicOfIn",
	clause: "a panic in the in of a client is a panic of its caller, or an error with the *PanicError in it; the server is told that the " +
		"client broke off, and of no panic of its own",
	kinds: manyIn(),
	run: func(c *cell) error {
		return c.clientPanics(c.answering, func(ctx context.Context, call stream) error {
			return call(ctx, func(yield func(Message, error) bool) {
				if yield(hello(), nil) {
					panic("a client's own")
				}
			}, drop)
		}, true)
	},
}}

// explode lets a server panic, and then not.
func (c *cell) explode(place string) error {
	outcomes := results[Outcome]()
	e := &explosive{place: place}
	e.armed.Store(true)
	call, err := c.open(e.service(c, outcomes))
	if err != nil {
		return err
	}
	shown := c.try(call)
	if _, leaked := errors.AsType[*panicked](shown); leaked || isHang(shown) {
		return shown
	}
	outcome, err := await(c, "the finalizer", outcomes)
	if err != nil {
		return err
	}
	err = hidden(shown, outcome.Err)
	if caught, ok := errors.AsType[*endpoint.PanicError](outcome.Err); !ok || len(caught.Stack) == 0 {
		err = errors.Join(err, fmt.Errorf("the finalizer is told %w, want a *PanicError with its stack", told(outcome.Err)))
	}
	e.armed.Store(false)
	if again := c.try(call); again != nil {
		err = errors.Join(err, fmt.Errorf("the next call: %w", again))
	}
	return err
}

// clientPanics makes a call of a server in which the client panics, and looks at both sides.
func (c *cell) clientPanics(server stream, do func(ctx context.Context, call stream) error, orError bool) error {
	outcomes := results[Outcome]()
	call, err := c.open(service{
		stream: server,
		server: ServerHooks{Finalizer: []func(context.Context, Outcome){func(_ context.Context, o Outcome) { outcomes <- ok(o) }}},
	})
	if err != nil {
		return err
	}
	var errs []error
	_, err = await(c, "the end of the call", c.start(func() error { return do(c.ctx, call) }))
	leaked, isPanic := errors.AsType[*panicked](err)
	_, isError := errors.AsType[*endpoint.PanicError](err)
	switch {
	case isPanic && leaked.value == "a client's own", orError && isError:
	default:
		errs = append(errs, fmt.Errorf("the client's panic became %w", told(err)))
	}
	outcome, err := await(c, "the finalizer", outcomes)
	switch _, own := errors.AsType[*endpoint.PanicError](outcome.Err); {
	case err != nil:
		errs = append(errs, err)
	case own:
		errs = append(errs, fmt.Errorf("the server takes the panic for its own: %w", outcome.Err))
	default:
		errs = append(errs, canceled("the server's stream", outcome.Err))
	}
	return errors.Join(errs...)
}
