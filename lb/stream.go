package lb

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// Stream returns the client stream of an operation over the pool: each stream goes to an instance that is chosen for it when it begins,
// and counts as a call of that to its end. All is as with Endpoint, but for this: a stream is opened on another instance only while
// nothing of in was asked for and nothing was given to out. The one request of a ServerStream is kept for that, and may have been
// asked for. What a transport reads of in before it is connected, as transport/http does of a ClientStream, is gone with the attempt.
//
// How long a stream lasts says nothing of its instance, and so is not what PeakEWMA goes by. Nor does an end count that in, out or ctx
// brought about.
//
// It fails where Endpoint does, when spec.Kind is Unary, and for the options EndpointAttemptTimeout, EndpointHedge and EndpointKey; a
// stream gets its key by WithKey.
func Stream[C, In, Out any](
	spec endpoint.Spec, pool *Pool[C], bind func(client C) (endpoint.Stream[In, Out], error), opts ...EndpointOption,
) (endpoint.Stream[In, Out], error) {
	s, err := newStreaming(spec, pool, bind, opts)
	if err != nil {
		return nil, fmt.Errorf("lb: stream of %s: %w", spec.Operation(), err)
	}
	return s.call, nil
}

// streaming is a streaming operation over a pool.
type streaming[C, In, Out any] struct {
	binder[C, endpoint.Stream[In, Out]]

	rules retryRules
	one   bool // there is one request
}

func newStreaming[C, In, Out any](
	spec endpoint.Spec, pool *Pool[C], bind func(client C) (endpoint.Stream[In, Out], error), opts []EndpointOption,
) (*streaming[C, In, Out], error) {
	switch {
	case pool == nil:
		return nil, errors.New("the pool is nil")
	case bind == nil:
		return nil, errors.New("bind is nil")
	case spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use Endpoint")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	}
	config, err := newEndpointConfig(spec, opts)
	switch {
	case err != nil:
		return nil, err
	case config.retry.timeout != 0 || config.hedges != 0 || config.key != nil:
		return nil, errors.New("EndpointAttemptTimeout, EndpointHedge and EndpointKey are for unary operations")
	}
	s := &streaming[C, In, Out]{rules: config.retry, one: spec.Kind == endpoint.ServerStream}
	s.binder = newBinder(pool, spec.Operation(), func(client C) (endpoint.Stream[In, Out], error) {
		do, err := bind(client)
		if err == nil && do == nil {
			err = errBoundNil
		}
		return do, err
	})
	return s, nil
}

// call is the stream.
func (s *streaming[C, In, Out]) call(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	t := &trial{rules: &s.rules, budget: s.pool.budget}
	m := &messages[In, Out]{in: in, out: out}
	if s.one {
		m.keep()
	}
	for {
		if s.attempt(ctx, m, t) == nil {
			return nil
		}
		if !t.again(ctx, s.pool.another(t.tried), s.pool.clock) {
			return t.err()
		}
	}
}

// errOwn is what an instance is told of a stream that its caller ended.
var errOwn = status.New(status.Canceled, "the caller ended the stream")

// attempt opens the stream on an instance, and leads it to its end.
func (s *streaming[C, In, Out]) attempt(ctx context.Context, m *messages[In, Out], t *trial) error {
	c, do, err := s.pick(ctx, t.tried)
	if err != nil {
		t.give(c.instance(), err)
		return err
	}
	over := false
	defer func() {
		if !over { // it has panicked, for which no instance is to blame
			s.pool.release(c.node)
		}
	}()
	c.timed = false
	var g gate
	err = do(ctx, m.input(&g), m.output)
	used := !g.shut() && !s.one || m.delivered.Load() || m.own.Load()
	if ended := err; ended != nil && (m.own.Load() || ctx.Err() != nil) {
		s.pool.done(c, errOwn)
	} else {
		s.pool.done(c, ended)
	}
	over = true
	if err != nil {
		t.fail(c.node.Node, err)
		t.final = used
	}
	return err
}
