package lb

import (
	"fmt"
	"io"
	"time"
)

// depart lets the nodes that have left begin no more calls. It comes after the snapshot without them, so that nobody picks them again.
func (p *Pool[C]) depart(now time.Duration) {
	for _, n := range p.gone {
		if !n.replaced && !p.ended {
			p.tell(Event{Kind: Departed, Instance: n.Instance()})
		}
		if n.depart() {
			p.finish(n, 0)
			continue
		}
		p.draining.add(n, now, p.config.drain, func(n *node[C]) bool { return n.drained })
	}
	p.gone = nil
}

// force closes those whose calls take too long, and returns how long until the next.
func (p *Pool[C]) force(now time.Duration) (wait time.Duration) {
	for n := p.draining.due(now); n != nil; n = p.draining.due(now) {
		p.finish(n, n.InFlight())
	}
	return p.draining.wait(now)
}

// finish closes the client of a node that has left.
func (p *Pool[C]) finish(n *node[C], inFlight int) {
	if n.drained {
		return
	}
	n.drained = true
	p.closeClient(n, n.client, inFlight)
}

// closeClient closes a client, which may block, if there is something to close.
func (p *Pool[C]) closeClient(n *node[C], client C, inFlight int) {
	closer, ok := any(client).(io.Closer)
	if !ok {
		p.forget(n, inFlight, nil)
		return
	}
	p.closing++
	p.work.Go(func() {
		err := closer.Close()
		p.inbox.post(func() {
			p.closing--
			p.forget(n, inFlight, err)
		})
	})
}

// forget notes that nothing is left of a node.
func (p *Pool[C]) forget(n *node[C], inFlight int, err error) {
	delete(p.leaving, n)
	p.tell(Event{Kind: Closed, Instance: n.Instance(), InFlight: inFlight, Err: err})
	if err != nil && p.ended {
		p.errs = append(p.errs, fmt.Errorf("lb: close the client of %v: %w", n.Instance(), err))
	}
}
