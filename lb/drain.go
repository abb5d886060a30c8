package lb

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// depart lets the nodes that have left begin no more calls. It comes after the snapshot without them, so that nobody picks them again.
func (p *Pool[C]) depart(now time.Duration) {
	for _, n := range p.leaving {
		if n.deadline != 0 {
			continue
		}
		n.deadline = now + p.config.drain
		p.tell(Event{Kind: Departed, Instance: n.Instance()})
		if n.depart() {
			p.finish(n)
		}
	}
}

// force closes those whose calls take too long, and returns how long until the next.
func (p *Pool[C]) force(now time.Duration) (wait time.Duration) {
	wait = never
	for _, n := range p.leaving {
		switch {
		case n.drained || n.deadline == 0:
		case n.deadline > now:
			wait = min(wait, n.deadline-now)
		default:
			p.finish(n)
		}
	}
	return wait
}

// finish closes the client of a node that has left.
func (p *Pool[C]) finish(n *node[C]) {
	if n.drained {
		return
	}
	n.drained = true
	p.work.Go(func() {
		p.closeClient(n, n.client)
		p.inbox.post(func() { p.leaving = slices.DeleteFunc(p.leaving, func(other *node[C]) bool { return other == n }) })
	})
}

// closeClient closes a client, which may block.
func (p *Pool[C]) closeClient(n *node[C], client C) {
	var err error
	if closer, ok := any(client).(io.Closer); ok {
		err = closer.Close()
	}
	inFlight := n.InFlight()
	p.inbox.post(func() {
		p.tell(Event{Kind: Closed, Instance: n.Instance(), InFlight: inFlight, Err: err})
		if err != nil && p.ended {
			p.errs = append(p.errs, fmt.Errorf("lb: close the client of %v: %w", n.Instance(), err))
		}
	})
}
