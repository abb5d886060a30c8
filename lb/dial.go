package lb

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

const (
	maxDials = 100 // at once

	firstDialDelay = 100 * time.Millisecond
	maxDialDelay   = 5 * time.Second // so that an instance that is back is noticed soon

	never = time.Duration(math.MaxInt64)
)

// redial dials those whose time has come, as far as there is room, and returns how long until the next.
func (p *Pool[C]) redial(now time.Duration) (wait time.Duration) {
	wait = never
	rest := p.waiting[:0]
	for i, n := range p.waiting {
		if p.dialing == maxDials { // until one of these is over
			rest = append(rest, p.waiting[i:]...)
			break
		}
		switch {
		case n.left:
		case n.due > now:
			wait = min(wait, n.due-now)
			rest = append(rest, n)
		default:
			p.dialing++
			p.work.Go(func() { p.dialNode(n) })
		}
	}
	clear(p.waiting[len(rest):])
	p.waiting = rest
	return wait
}

func (p *Pool[C]) dialNode(n *node[C]) {
	ctx, cancel := context.WithTimeout(n.ctx, p.config.dialTimeout)
	defer cancel()
	client, err := p.dial(ctx, n.Instance())
	p.inbox.post(func() { p.dialled(n, client, err) })
}

func (p *Pool[C]) dialled(n *node[C], client C, err error) {
	p.dialing--
	now := p.clock.Now()
	switch {
	case err == nil && n.left:
		p.work.Go(func() { p.closeClient(n, client) })
	case err == nil:
		n.client, n.connected, n.err, n.failures, n.since = client, true, nil, 0, now
		if p.config.slowStart > 0 {
			p.cold = append(p.cold, n)
		} else {
			n.warm = true
		}
		p.stale = true
		p.tell(Event{Kind: Connected, Instance: n.Instance()})
	case !n.left:
		delay := min(firstDialDelay<<min(n.failures, 10), maxDialDelay)
		n.err, n.due = err, now+delay/2+rand.N(delay/2) //nolint:gosec // no secret
		n.failures++
		p.waiting = append(p.waiting, n)
		p.stale = true // an empty pool says why
		p.tell(Event{Kind: DialFailed, Instance: n.Instance(), Err: err})
	}
}
