package endpoint

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Stream is one streaming operation of any shape: it reads in until that ends, and calls out for each message it
// sends. A client calls it with its own messages as in, and with out receiving what the server sends.
//
// In yields messages with a nil error and ends; where the other side broke off or was wrong, the last thing it yields is an
// error, which the Stream should return. It can be ranged over once. Out blocks while the receiver is slower, and
// returns an error when nothing more can be sent; the Stream should then return it. In and out are not safe for use by
// several goroutines at once, though one may read while another sends, and neither may be used after the Stream has returned.
//
// The Stream ends when it returns: nil is a clean end. When ctx ends so should it, and so must an in that a client gives.
type Stream[In, Out any] func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error

// NewStream decorates s with the middleware, the first outermost. A middleware runs once per stream, around the
// whole of it, also when no message is ever sent, and sees the stream as a *Messages.
//
// It panics where New does, except that the kind must not be Unary; an unset one counts as Bidirectional.
func NewStream[In, Out any](spec Spec, s Stream[In, Out], mw ...Middleware) Stream[In, Out] {
	if s == nil {
		panic("endpoint: NewStream of " + spec.Operation() + " with a nil Stream")
	}
	if spec.Kind == Unary {
		panic("endpoint: NewStream of " + spec.Operation() + ", whose kind is unary; use New")
	}
	if spec.Kind > Bidirectional {
		panic(fmt.Sprintf("endpoint: NewStream of %s with the unknown kind %d", spec.Operation(), spec.Kind))
	}
	if len(mw) == 0 {
		return s
	}
	if spec.Kind == 0 {
		spec.Kind = Bidirectional
	}
	operation := spec.Operation()
	handler := decorate(spec, func(ctx context.Context, request any) (any, error) {
		m, ok := request.(*Messages)
		if !ok || m == nil {
			return nil, mismatch[*Messages](operation, "request", request)
		}
		call, ok := m.call.(*streamCall[In, Out])
		if !ok {
			return nil, mismatch[*streamCall[In, Out]](operation, "request", m.call)
		}
		return nil, s(ctx, call.inWith(m.onIn), call.outWith(m.onOut))
	}, mw)
	return func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
		call := &streamCall[In, Out]{in: in, out: out}
		call.messages.call = call
		_, err := handler(ctx, &call.messages)
		return err
	}
}

// Messages is what a middleware sees as the request of a stream. Middleware that works per stream ignores it; one that
// works per message passes on what WithHooks returns.
type Messages struct {
	onIn, onOut []func(message any) error
	call        any // the *streamCall that this is part of
}

// WithHooks returns a Messages for next, with a hook for each message from the client to the server, and one for each message from the
// server to the client, whichever side this is; either may be nil. M stays as it was, so that next can be called again.
//
// In hooks run in the order of the middleware, outermost first, on the goroutine that reads; an error ends in with that error. Out
// hooks run innermost first, on the goroutine that sends; out returns their error instead of sending.
func (m *Messages) WithHooks(in, out func(message any) error) *Messages {
	hooked := *m
	if in != nil {
		hooked.onIn = append(slices.Clip(m.onIn), in)
	}
	if out != nil {
		hooked.onOut = append(slices.Clip(m.onOut), out)
	}
	return &hooked
}

// streamCall is one call of a decorated stream. Its types are erased only for hooks, so that without any
// a message costs nothing.
type streamCall[In, Out any] struct {
	messages Messages
	in       iter.Seq2[In, error]
	out      func(Out) error
}

func (c *streamCall[In, Out]) inWith(hooks []func(any) error) iter.Seq2[In, error] {
	if len(hooks) == 0 {
		return c.in
	}
	return func(yield func(In, error) bool) {
		for message, err := range c.in {
			for i := 0; i < len(hooks) && err == nil; i++ {
				err = hooks[i](message)
			}
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}

func (c *streamCall[In, Out]) outWith(hooks []func(any) error) func(Out) error {
	if len(hooks) == 0 {
		return c.out
	}
	return func(message Out) error {
		for _, hook := range slices.Backward(hooks) {
			if err := hook(message); err != nil {
				return err
			}
		}
		return c.out(message)
	}
}
