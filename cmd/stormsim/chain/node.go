package chain

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// call is a call of a user and all that are made for it, and their answers.
type call struct{}

func spec(t Tier) endpoint.Spec {
	return endpoint.Spec{Service: t.String(), Method: "Call", Kind: endpoint.Unary, Idempotent: true}
}

// node is an instance.
type node struct {
	world   *world
	tier    Tier
	mux     inproc.Mux
	workers chan struct{} // holds a token for each that is busy; nil where there is room for all
	waiting atomic.Int64
	next    endpoint.Endpoint[*call, *call] // of the next tier; nil at the back
	serve   endpoint.Endpoint[*call, *call]
}

// tier makes the instances of a tier, which call those of the next.
func (w *world) tier(t Tier, instances int, next []*node) ([]*node, error) {
	nodes := make([]*node, instances)
	for i := range nodes {
		n := &node{world: w, tier: t}
		if t == Back {
			n.workers = make(chan struct{}, w.Workers)
		} else {
			call, err := w.client(t, next)
			if err != nil {
				return nil, err
			}
			n.next = call
		}
		middleware, err := join(w.Policy.Arrival, t, n.queue, w.Policy.Server)
		if err != nil {
			return nil, err
		}
		n.serve = endpoint.New(spec(t), n.work, middleware...)
		n.mux.Handle(inproc.NewServer(spec(t), n.arrive))
		nodes[i] = n
	}
	return nodes, nil
}

// join returns what before says, m, and what after says.
func join(
	before func(Tier) ([]endpoint.Middleware, error), t Tier, m endpoint.Middleware, after func(Tier) ([]endpoint.Middleware, error),
) (all []endpoint.Middleware, err error) {
	if before != nil {
		if all, err = before(t); err != nil {
			return nil, err
		}
	}
	all = append(all, m)
	if after == nil {
		return all, nil
	}
	inner, err := after(t)
	return append(all, inner...), err
}

// client returns what calls the tier after t, with a pool of its own.
func (w *world) client(t Tier, nodes []*node) (endpoint.Endpoint[*call, *call], error) {
	addresses := make([]string, len(nodes))
	for i := range addresses {
		addresses[i] = strconv.Itoa(i)
	}
	registry, err := sd.NewStaticAddresses(addresses...)
	if err != nil {
		return nil, err
	}
	pool, err := lb.New(t.String(), registry, func(_ context.Context, i sd.Instance) (*node, error) {
		n, err := strconv.Atoi(i.Address)
		if err != nil {
			return nil, err
		}
		return nodes[n], nil
	}, append([]lb.PoolOption{lb.PoolWaitReady()}, w.Policy.Pool...)...)
	if err != nil {
		return nil, err
	}
	w.pools = append(w.pools, pool)
	s := spec(t + 1).Client()
	e, err := lb.Endpoint(s, pool, func(n *node) (endpoint.Endpoint[*call, *call], error) {
		return inproc.NewClient[*call, *call](s, &n.mux)
	}, lb.EndpointRetryAttempts(w.Attempts), lb.EndpointAttemptTimeout(w.Timeout))
	if err != nil || w.Policy.Client == nil {
		return e, err
	}
	middleware, err := w.Policy.Client(t)
	return endpoint.New(s, e, middleware...), err
}

// arrive is where a call comes in.
func (n *node) arrive(ctx context.Context, request *call) (*call, error) {
	if n.tier == Back {
		n.world.counts.load.add(time.Since(n.world.begin))
	}
	if n.world.Policy.Travel {
		return n.serve(ctx, request)
	}
	done := make(chan error, 1)
	n.world.abandoned.Go(func() {
		_, err := n.serve(n.world.life, request)
		done <- err
	})
	select {
	case err := <-done:
		return request, err
	case <-ctx.Done():
		return request, status.From(ctx.Err())
	}
}

var errFull = status.New(status.Unavailable, "the queue is full").WithReason("OVERLOADED")

// queue makes a call wait for a worker, first come first served.
func (n *node) queue(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (any, error) {
		if n.workers == nil {
			return next(ctx, request)
		}
		select {
		case n.workers <- struct{}{}:
		default:
			if n.waiting.Add(1) > int64(n.world.Queue) {
				n.waiting.Add(-1)
				return nil, errFull
			}
			select {
			case n.workers <- struct{}{}:
				n.waiting.Add(-1)
			case <-ctx.Done():
				n.waiting.Add(-1)
				return nil, status.From(ctx.Err())
			}
		}
		defer func() { <-n.workers }()
		return next(ctx, request)
	}
}

// work is what the instance is for.
func (n *node) work(ctx context.Context, request *call) (*call, error) {
	if n.tier != Back {
		if err := pause(ctx, n.world.Overhead); err != nil {
			return nil, err
		}
		return n.next(ctx, request)
	}
	half := float64(n.world.Work) / 2
	takes := half + rand.ExpFloat64()*half //nolint:gosec // no secret
	fault, since := n.world.Fault, time.Since(n.world.begin)
	if fault.Slow > 0 && since >= fault.From && since < fault.To {
		takes *= fault.Slow
	}
	if err := pause(ctx, time.Duration(takes)); err != nil {
		return nil, err
	}
	if since := time.Since(n.world.begin); fault.Stall && since >= fault.From && since < fault.To {
		if err := pause(ctx, fault.To-since); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// pause waits, unless the caller goes before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return status.From(ctx.Err())
	}
}
