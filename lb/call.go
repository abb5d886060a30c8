package lb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Pick chooses an instance, and returns its client and what is to be called when the call that is made with it has ended, with its
// error; until then the client is not closed, but for PoolDrain. It is to be called once: a second time does nothing, unless another
// Pick was made meanwhile, whose call it could end too early. Without an instance it fails at once with Unavailable and the reason
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
	t.start, t.timed = c.start, c.timed
	t.node.Store(c.node)
	return c.node.client, t.done, nil
}

// ticket is the call of a done that Pick has returned.
type ticket[C any] struct {
	pool  *Pool[C]
	node  atomic.Pointer[node[C]] // nil when the call has ended
	start time.Duration
	timed bool
	done  func(error) // end, made once
}

func (t *ticket[C]) end(err error) {
	n := t.node.Swap(nil)
	if n == nil {
		return // it was called twice
	}
	c := call[C]{node: n, start: t.start, timed: t.timed}
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
		if len(s.nodes) == 0 {
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
		c := call[C]{node: n, timed: p.measures && n.times(calls)}
		if earns := calls>>32%budgetEvery == 0; earns || c.timed {
			c.start = p.clock.Now()
			if earns {
				p.budget.earn(c.start)
			}
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
		message, cause := "waiting for an instance of "+p.service, fmt.Errorf("%w: %w", ctx.Err(), s.err)
		if why := context.Cause(ctx); !errors.Is(ctx.Err(), why) {
			cause = fmt.Errorf("%w: %w", why, cause)
		}
		return status.New(status.CodeOf(ctx.Err()), message).WithReason(ReasonNoInstance).WithCause(cause)
	}
}

// done ends a call.
func (p *Pool[C]) done(c call[C], err error) {
	n := c.node
	if err != nil && errors.Is(err, transport.ErrWithheld) { // the instance was not asked
		p.release(n)
		n.withheld.Add(1) // after that, so that no more are withheld than have ended
		return
	}
	failed := err != nil && p.config.failure(err)
	switch {
	case c.timed:
		now := p.clock.Now()
		if took := now - c.start; err == nil || failed || float64(took) > n.Cost() { // a call that was cut off took at least so long
			n.observe(now, took, failed)
		}
	case failed && p.measures:
		n.observe(p.clock.Last(), 0, true)
	}
	switch {
	case failed && shed(err): // it serves as much as it can, and others are to get more
	case failed:
		fails := n.failed()
		if fails >= lostAfter && unreachable(err) {
			p.suspect(n, err)
		}
		if p.config.ejectAfter > 0 && (int(fails)%p.config.ejectAfter == 0 || leaving(err)) {
			p.accuse(n, err)
		}
	case err == nil || status.CodeOf(err) != status.Canceled && !hasty(err): // which say nothing of the instance
		n.succeeded()
	}
	p.release(n)
}

// release ends what begin has begun.
func (p *Pool[C]) release(n *node[C]) {
	if n.end() {
		p.inbox.post(func() { p.finish(n, 0) })
	}
}
