package lb

import (
	"context"
	"errors"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// Pick chooses an instance, and returns its client and what is to be called, once, when the call that is made with it has ended, with
// its error; until then the client is not closed, but for PoolDrain. Without an instance it fails at once with Unavailable and the reason
// ReasonNoInstance, or waits for one if PoolWaitReady was given. It does not allocate.
//
// Endpoint and Stream do this by themselves; Pick is for calls that are made in other ways.
func (p *Pool[C]) Pick(ctx context.Context) (client C, done func(err error), err error) {
	c, err := p.pick(ctx, nil)
	if err != nil {
		return client, nil, err
	}
	t, ok := p.tickets.Get().(*ticket[C])
	if !ok {
		t = &ticket[C]{pool: p}
		t.done = t.end
	}
	t.call = c
	return c.node.client, t.done, nil
}

// ticket is the call of a done that Pick has returned.
type ticket[C any] struct {
	pool *Pool[C]
	call call[C]
	done func(error) // end, made once
}

func (t *ticket[C]) end(err error) {
	c := t.call
	t.call = call[C]{}
	if c.node == nil {
		return // it was called twice
	}
	t.pool.tickets.Put(t)
	t.pool.done(c, err)
}

// call is a call of an instance that has begun.
type call[C any] struct {
	node  *node[C]
	start time.Duration
	timed bool
}

// instance is the one that is called, nil if none is.
func (c call[C]) instance() *Node {
	if c.node == nil {
		return nil
	}
	return c.node.Node
}

// pick begins a call of an instance, if there is another one not of those tried.
func (p *Pool[C]) pick(ctx context.Context, tried Tried) (call[C], error) {
	for {
		s := p.current.Load()
		if s.picker == nil {
			if err := p.absent(ctx, s); err != nil {
				return call[C]{}, err
			}
			continue
		}
		n := s.nodes[s.picker.Pick(ctx, tried)]
		calls := n.begin()
		if calls&closing != 0 { // it has left the set just now, and s is old
			p.release(n)
			continue
		}
		if calls>>32%budgetEvery == 0 {
			p.budget.earn(p.clock.Now())
		}
		c := call[C]{node: n}
		if p.measures && n.times(calls) {
			c.timed, c.start = true, p.clock.Now()
		}
		return c, nil
	}
}

// absent waits for a snapshot with an instance, or returns why there is none.
func (p *Pool[C]) absent(ctx context.Context, s *snapshot[C]) error {
	if !p.config.waitReady || s.final {
		return s.err
	}
	select {
	case <-s.next:
		return nil
	case <-ctx.Done():
		code := status.CodeOf(context.Cause(ctx))
		return status.New(code, "waiting for an instance of "+p.service).WithReason(ReasonNoInstance).WithCause(errors.Join(s.err, ctx.Err()))
	}
}

// done ends a call.
func (p *Pool[C]) done(c call[C], err error) {
	n := c.node
	failed := err != nil && p.config.failure(err)
	switch {
	case c.timed:
		now := p.clock.Now()
		if took := now - c.start; err == nil || failed || float64(took) > n.Cost() { // a call that was cut off took at least so long
			n.Observe(now, took, failed)
		}
	case failed && p.measures:
		n.Observe(p.clock.Last(), 0, true)
	}
	switch {
	case failed:
		n.bad.Add(1)
		if fails := n.fails.Add(1); p.config.ejectAfter > 0 && fails == uint32(p.config.ejectAfter) {
			p.inbox.post(func() { p.eject(n) })
		}
	case err == nil && n.fails.Load() != 0:
		n.fails.Store(0)
	}
	p.release(n)
}

// release ends what Begin has begun.
func (p *Pool[C]) release(n *node[C]) {
	if n.End() {
		p.inbox.post(func() { p.finish(n) })
	}
}
