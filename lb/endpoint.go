package lb

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Endpoint returns the client endpoint of an operation over the pool: each call goes to an instance that is chosen for it. Bind makes the
// endpoint for the client of one instance, as with
//
//	func(conn *grpc.ClientConn) (endpoint.Endpoint[*Order, *Receipt], error) {
//		return grpctransport.NewClient[*Order, *Receipt](spec, conn)
//	}
//
// and is called once for each instance, when that is called for the first time. It does not block, since first calls of the instance
// wait for it. When it fails so does the call, with Internal, the instance being named in the cause, and the next call of that
// instance calls it again. Middleware within bind sees each attempt, and that around the Endpoint each call. An Endpoint is made
// once for an operation, and not for each call.
//
// A call that fails is tried again on another instance, if there is one, up to DefaultAttempts in all, when its error has one of the codes
// of EndpointRetryCodes, and it is Spec.Idempotent or surely had no effect, as transport.NotBegun says. Between the attempts it waits as
// EndpointRetryBackoff says, and at least as long as the server says in RetryAfter. There is no other attempt when the context has ended,
// when its deadline would pass during the wait, and when the budget of PoolRetryBudget is spent. Of several attempts all errors are in a
// *RetryError in the cause. One that a breaker or a limiter within bind withheld (transport.ErrWithheld) is none: another instance gets the
// call at once, and where there is no other, or 30 have withheld it, it fails. A call for which there is no instance is not tried again;
// see PoolWaitReady.
//
// It fails when the pool or bind is nil, when spec.Kind is set and is not Unary, and when an option is wrong or is for streams.
func Endpoint[C, Req, Resp any](
	spec endpoint.Spec, pool *Pool[C], bind func(client C) (endpoint.Endpoint[Req, Resp], error), opts ...EndpointOption,
) (endpoint.Endpoint[Req, Resp], error) {
	e, err := newUnary(spec, pool, bind, opts)
	if err != nil {
		return nil, fmt.Errorf("lb: endpoint of %s: %w", spec.Operation(), err)
	}
	return e.call, nil
}

// unary is an operation over a pool.
type unary[C, Req, Resp any] struct {
	binder[C, endpoint.Endpoint[Req, Resp]]

	rules   retryRules
	hedging *hedging // nil without
	key     func(context.Context, Req) string
}

func newUnary[C, Req, Resp any](
	spec endpoint.Spec, pool *Pool[C], bind func(client C) (endpoint.Endpoint[Req, Resp], error), opts []EndpointOption,
) (*unary[C, Req, Resp], error) {
	switch {
	case pool == nil:
		return nil, errors.New("the pool is nil")
	case bind == nil:
		return nil, errors.New("bind is nil")
	case spec.Kind != 0 && spec.Kind != endpoint.Unary:
		return nil, fmt.Errorf("the operation is %v; use Stream", spec.Kind)
	}
	config, err := newEndpointConfig(spec, opts)
	if err != nil {
		return nil, err
	}
	key, err := option.Typed[func(context.Context, Req) string]("EndpointKey", config.key)
	if err != nil {
		return nil, err
	}
	if config.key != nil && keyless(pool.config.policy) {
		return nil, errors.New("EndpointKey: the policy of the pool does not look at keys, as ConsistentHash does")
	}
	e := &unary[C, Req, Resp]{rules: config.retry, hedging: newHedging(config), key: key}
	e.binder = newBinder(pool, spec.Operation(), func(client C) (endpoint.Endpoint[Req, Resp], error) {
		do, err := bind(client)
		if err == nil && do == nil {
			err = errBoundNil
		}
		return do, err
	})
	return e, nil
}

// call is the endpoint.
func (e *unary[C, Req, Resp]) call(ctx context.Context, request Req) (response Resp, err error) {
	if ctx.Err() != nil {
		return response, ended(ctx)
	}
	if e.key != nil {
		ctx = WithKey(ctx, e.key(ctx, request))
	}
	if e.hedging != nil {
		return e.repeat(ctx, request, &trial{rules: &e.rules, budget: e.pool.budget})
	}
	c, do, err := e.pick(ctx, nil)
	if err != nil {
		return response, err
	}
	if response, err = e.attempt(ctx, c, do, request); err == nil {
		return response, nil
	}
	wait, again := e.rules.next(ctx, 1, err, e.pool.another(Tried{c.node.Node}), e.pool.budget, e.pool.clock)
	if !again {
		return response, err
	}
	t := &trial{rules: &e.rules, budget: e.pool.budget}
	t.fail(c.node.Node, err)
	if !t.sleep(ctx, wait) {
		return response, t.err()
	}
	return e.repeat(ctx, request, t)
}

// repeat makes attempts until one succeeds, or there is not to be another.
func (e *unary[C, Req, Resp]) repeat(ctx context.Context, request Req, t *trial) (response Resp, err error) {
	for {
		if response, err = e.round(ctx, request, t); err == nil {
			return response, nil
		}
		if !t.again(ctx, e.pool.another(t.tried), e.pool.clock) {
			return response, t.err()
		}
	}
}

// round makes an attempt, with what hedges belong to it.
func (e *unary[C, Req, Resp]) round(ctx context.Context, request Req, t *trial) (response Resp, err error) {
	c, do, err := e.pick(ctx, t.tried)
	if err != nil {
		t.give(c.instance(), err)
		return response, err
	}
	if e.hedging != nil {
		return e.hedged(ctx, c, do, request, t)
	}
	if response, err = e.attempt(ctx, c, do, request); err != nil {
		t.fail(c.node.Node, err)
	}
	return response, err
}

// attempt makes a call that has begun, and ends it.
func (e *unary[C, Req, Resp]) attempt(
	ctx context.Context, c call[C], do endpoint.Endpoint[Req, Resp], request Req,
) (response Resp, err error) {
	over := false
	defer func() {
		if !over { // it has panicked, for which no instance is to blame
			e.pool.release(c.node)
		}
	}()
	if e.rules.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, e.rules.timeout)
		defer cancel()
		ctx = limited
	}
	response, err = do(ctx, request)
	e.pool.done(c, err)
	over = true
	return response, err
}

// another says whether there is an instance that was not tried.
func (p *Pool[C]) another(tried Tried) bool {
	for _, n := range p.current.Load().nodes {
		if !tried.Has(n.Node) {
			return true
		}
	}
	return false
}
