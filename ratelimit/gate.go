package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Gate lets calls through as a limiter says. NewGate makes one for a Limiter, which knows keys, Erroring and Delaying make one for what
// knows only a rate. Its Middleware goes around endpoints and streams of servers and of clients, as many as share the limiter.
//
// A call that is refused ends with ResourceExhausted, ReasonLimited, and when to come back, if that is known; nothing further in has seen
// it. On a server it is marked by transport.SetNotBegun, on a client it is transport.ErrWithheld, so that balancers know that they may
// repeat it; put the Gate outside of what has effects. A call whose context has ended ends with what that says, and counts for nothing.
//
// Of a stream the opening counts, unless there is the option Messages.
type Gate struct {
	config

	limiter Limiter
	allower Allower
	waiter  Waiter

	waiting atomic.Int64
	failing atomic.Bool // the last that the limiter said was an error

	mu         sync.Mutex
	operations []*operation
}

// NewGate returns a Gate for a limiter. With no options there is one limit for all calls of all operations; By gives each key one of its
// own. What the limiter decides is told to callers in the fields of draft-ietf-httpapi-ratelimit-headers; see NoFields.
func NewGate(limiter Limiter, opts ...Option) (*Gate, error) {
	if missing(limiter) {
		return nil, errors.New("ratelimit: NewGate: the limiter is nil")
	}
	return newGate("NewGate", &Gate{limiter: limiter}, opts)
}

func newGate(constructor string, g *Gate, opts []Option) (*Gate, error) {
	g.config = newConfig(g.limiter, g.waiter)
	if err := option.Set(&g.config, opts); err != nil {
		return nil, fmt.Errorf("ratelimit: %s: %w", constructor, err)
	}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("ratelimit: %s: %w", constructor, err)
	}
	return g, nil
}

// missing reports whether a limiter is nil, or a nil pointer.
func missing(limiter any) bool {
	v := reflect.ValueOf(limiter)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

var errNotMade = errors.New("ratelimit: a Gate that NewGate, Erroring or Delaying has not made")

// Middleware decorates an operation. It is an endpoint.Middleware: give the method itself, gate.Middleware, to endpoint.New. Of a Gate that
// is nil, or that no constructor has made, all calls fail.
func (g *Gate) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if g == nil || g.limiter == nil && g.allower == nil && g.waiter == nil {
		return func(context.Context, any) (any, error) { return nil, errNotMade }
	}
	o := g.operation(spec)
	if g.messages && spec.Kind != endpoint.Unary {
		return o.eachMessage(next)
	}
	if allower := g.allower; allower != nil {
		return func(ctx context.Context, request any) (any, error) {
			if ctx.Err() == nil && allower.Allow() {
				return next(ctx, request)
			}
			return nil, o.notBegun(ctx, o.disallowed(ctx))
		}
	}
	return func(ctx context.Context, request any) (any, error) {
		if err := o.pass(ctx, request, true); err != nil {
			return nil, o.notBegun(ctx, err)
		}
		return next(ctx, request)
	}
}

// operation returns the state of the operation, which is one however often it is decorated.
func (g *Gate) operation(spec endpoint.Spec) *operation {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.operations {
		if o.name == spec.Operation() && o.side == spec.Side {
			return o
		}
	}
	o := &operation{gate: g, name: spec.Operation(), side: spec.Side, refusals: newRefusals(spec.Side, g.reason, g.policy)}
	if g.perOperation {
		o.prefix = o.name
	}
	g.operations = append(g.operations, o)
	return o
}

// eachMessage asks for each message of the client, and not for the stream.
func (o *operation) eachMessage(next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (any, error) {
		m, ok := request.(*endpoint.Messages)
		if !ok {
			return nil, fmt.Errorf("ratelimit: %s: the option Messages around decoding, where there are none", o.name)
		}
		return next(ctx, m.WithHooks(func(message any) error { return o.pass(ctx, message, false) }, nil))
	}
}

// pass returns nil when the call, or the message of a stream, may go on.
func (o *operation) pass(ctx context.Context, request any, call bool) error {
	switch g := o.gate; {
	case ctx.Err() != nil:
		return ended(ctx, o.side)
	case g.limiter != nil:
		return o.take(ctx, request, call)
	case g.waiter != nil:
		return o.wait(ctx)
	case g.allower.Allow():
		return nil
	}
	return o.disallowed(ctx)
}
