package lb

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// node is an instance in a pool. What follows the first paragraphs is the pool's, under its mutex.
type node[C any] struct {
	*Node

	client C                     // set before the node is first picked
	bound  atomic.Pointer[[]any] // by number of the endpoint

	ctx       context.Context // of dialling
	cancel    context.CancelFunc
	connected bool
	left      bool          // it is no longer in the set
	err       error         // of the last dial
	failures  int           // dials in a row that failed
	due       time.Duration // when it is dialled again

	since time.Duration // when it was connected
	warm  bool          // its slow start is over

	ejected  bool
	until    time.Duration // when that ends
	ejects   int           // how often in a row
	returned time.Duration // when it last ended

	rated struct{ begun, bad uint64 } // at the last comparison of success rates

	deadline time.Duration // when it is closed with calls in flight
	drained  bool          // none are
}

// update makes the set of nodes that of the instances.
func (p *Pool[C]) update(set []sd.Instance) {
	if p.failure != nil {
		p.failure = nil
		p.tell(Event{Kind: RegistryBack})
	}
	if p.ended {
		return
	}
	p.known, p.stale = true, true
	set = p.config.subset.choose(conforming(set))
	nodes := make([]*node[C], 0, len(set))
	old := p.nodes
	cost := -1.0
	for i := range set {
		for len(old) > 0 && old[0].id < set[i].ID {
			p.leave(old[0])
			old = old[1:]
		}
		if len(old) > 0 && old[0].id == set[i].ID {
			n := old[0]
			old = old[1:]
			if known := n.instance.Load(); known.Address == set[i].Address {
				if !known.Equal(set[i]) {
					n.set(set[i])
				}
				nodes = append(nodes, n)
				continue
			}
			p.leave(n) // another is called so now
		}
		if cost < 0 {
			cost = p.meanCost()
		}
		nodes = append(nodes, p.join(set[i], cost))
	}
	for _, n := range old {
		p.leave(n)
	}
	p.nodes = nodes
}

// conforming returns the set as an Instancer has to yield it.
func conforming(set []sd.Instance) []sd.Instance {
	for i := range set {
		if set[i].ID == "" || i > 0 && set[i-1].ID >= set[i].ID {
			return sd.Normalize(set)
		}
	}
	return set
}

// failed notes that the registry fails.
func (p *Pool[C]) failed(err error) {
	if p.ended {
		return
	}
	p.stale = p.stale || !p.known // the error of a pick says why
	p.failure = err
	p.tell(Event{Kind: RegistryFailed, Err: err})
}

// meanCost is what an instance costs about which nothing is known.
func (p *Pool[C]) meanCost() float64 {
	sum, n := 0.0, 0
	for _, other := range p.nodes {
		if cost := other.Cost(); cost > 0 {
			sum, n = sum+cost, n+1
		}
	}
	return sum / float64(max(n, 1))
}

func (p *Pool[C]) join(instance sd.Instance, cost float64) *node[C] {
	n := &node[C]{Node: NewNode(instance, p.clock)}
	n.estimate(cost)
	n.ctx, n.cancel = context.WithCancel(p.ctx) //nolint:gosec // by leave
	p.waiting = append(p.waiting, n)
	return n
}

// leave takes a node out of the set; the calls that it has go on.
func (p *Pool[C]) leave(n *node[C]) {
	n.left = true
	n.cancel()
	p.stale, p.urgent = true, true
	if n.connected {
		p.leaving = append(p.leaving, n)
	}
}
