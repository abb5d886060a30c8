package lb

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	maxDials = 100 // at once, but for those that take longer than this, so that hosts that do not answer hold up no others:
	slowDial = 100 * time.Millisecond

	firstDialDelay = 100 * time.Millisecond
	maxDialDelay   = 5 * time.Second // so that an instance that is back is noticed soon
)

// dials says who is to be dialled, and how many are being dialled.
type dials[C any] struct {
	next    []*node[C] // as soon as there is room
	later   agenda[C]
	running int
	slow    agenda[C] // those running, by when they become slow
	slots   int       // those running that are not slow
}

// redial dials those whose time has come, as far as there is room, and returns how long until the next.
func (p *Pool[C]) redial(now time.Duration) (wait time.Duration) {
	d := &p.dials
	for n := d.slow.due(now); n != nil; n = d.slow.due(now) {
		p.vacate(n)
	}
	for n := d.later.due(now); n != nil; n = d.later.due(now) {
		d.next = append(d.next, n)
	}
	i := 0
	for ; i < len(d.next) && d.slots < maxDials; i++ {
		n := d.next[i]
		d.next[i] = nil
		if n.left {
			continue
		}
		n.slot = true
		d.slots++
		d.running++
		d.slow.add(n, now, slowDial, func(n *node[C]) bool { return !n.slot })
		ctx, cancel := context.WithTimeout(p.ctx, p.config.dialTimeout) //nolint:gosec // by dialled
		n.cancel = cancel
		p.work.Go(func() { p.dialNode(ctx, n) })
	}
	if d.next = d.next[i:]; len(d.next) == 0 {
		d.next = nil
	}
	return min(d.later.wait(now), d.slow.wait(now))
}

// vacate makes room for another dial.
func (p *Pool[C]) vacate(n *node[C]) {
	if n.slot {
		n.slot = false
		p.dials.slots--
	}
}

func (p *Pool[C]) dialNode(ctx context.Context, n *node[C]) {
	client, err := p.dial(ctx, n.Instance())
	p.inbox.post(func() { p.dialled(n, client, err) })
}

func (p *Pool[C]) dialled(n *node[C], client C, err error) {
	n.cancel()
	n.cancel = nil
	p.vacate(n)
	p.dials.running--
	switch {
	case err == nil && n.left:
		p.closeClient(n, client, 0)
	case err == nil:
		p.connect(n, client)
	case !n.left:
		n.err = err
		p.dialLater(n)
		p.stale = p.stale || len(p.current.Load().nodes) == 0 // whose error says why
		p.tell(Event{Kind: DialFailed, Instance: n.Instance(), Err: err})
	}
}

// dialLater has a node dialled after a delay that grows with its failures.
func (p *Pool[C]) dialLater(n *node[C]) {
	delay := min(firstDialDelay<<min(n.failures, 10), maxDialDelay)
	n.failures++
	wait := delay/2 + rand.N(delay/2) //nolint:gosec // no secret
	p.dials.later.add(n, p.clock.Now(), wait, func(n *node[C]) bool { return n.left })
}

// connect lets a node be picked.
func (p *Pool[C]) connect(n *node[C], client C) {
	n.client, n.connected, n.fresh, n.err = client, true, true, nil
	p.counts.connected++
	if window := p.config.slowStart; window > 0 {
		n.cold, n.since = true, p.clock.Now()
		p.cold.add(n, n.since, window, func(n *node[C]) bool { return !n.cold })
	}
	p.stale = true
	p.urgent = p.urgent || len(p.current.Load().nodes) == 0
	p.tell(Event{Kind: Connected, Instance: n.Instance()})
}
