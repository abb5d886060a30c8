package lb

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// node is an instance in a pool. What follows the first paragraphs is the pool's, under its mutex.
type node[C any] struct {
	*Node

	client  C                     // set before the node is first picked
	bound   atomic.Pointer[[]any] // by number of the endpoint; each slice is whole, and replaced by one that has more
	binding sync.Mutex            // of those who replace it

	cancel    context.CancelFunc // of a dial, while there is one
	slot      bool               // it is being dialled, and counts among those that are
	connected bool
	fresh     bool  // nothing is known of it yet, or no more
	left      bool  // it is no longer in the set
	err       error // of the last dial
	failures  int   // dials in a row that failed, or led to a client that reached nobody

	first uint32      // how many calls it was made with
	lost  atomic.Bool // lose is about to look at it

	cold  bool          // it is in its slow start
	since time.Duration // when that began
	index int           // in the snapshot that is being made

	accused  atomic.Bool // eject is about to look at it
	ejected  bool
	ejects   int           // how often in a row
	returned time.Duration // when it was last let back

	rated struct { // at the last comparison of success rates
		begun uint32
		bad   uint64
	}

	tallies [2]tally // see lately
	tallied time.Duration

	replaced bool // by another node of the same instance
	drained  bool // its client is closed, or being closed
}

// update makes the set of nodes that of the instances.
func (p *Pool[C]) update(set []sd.Instance) {
	if p.ended {
		return
	}
	if p.failure != nil {
		p.failure = nil
		p.stale = p.stale || len(p.nodes) == 0
		p.tell(Event{Kind: RegistryBack})
	}
	p.stale = p.stale || !p.known
	p.known = true
	set = p.config.subset.choose(conforming(set))
	nodes := make([]*node[C], 0, len(set))
	old := p.nodes
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
					p.stale = true // the weight or the zone may be another
				}
				nodes = append(nodes, n)
				continue
			}
			p.leave(n) // another is called so now
		}
		n := p.join(set[i])
		p.dials.next = append(p.dials.next, n)
		nodes = append(nodes, n)
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
	p.stale = p.stale || len(p.nodes) == 0 // the error of a pick says why
	p.failure = err
	p.tell(Event{Kind: RegistryFailed, Err: err})
}

// appraise sets what those among the nodes are taken to cost of which nothing is known: what the others cost on the average.
func (p *Pool[C]) appraise(nodes []*node[C]) {
	isFresh := func(n *node[C]) bool { return n.fresh }
	if !p.measures || !slices.ContainsFunc(nodes, isFresh) {
		return
	}
	const enough = 1000
	sum, known := 0.0, 0
	for i := 0; i < len(nodes); i += 1 + len(nodes)/enough {
		if cost := nodes[i].Cost(); !nodes[i].fresh && cost > 0 {
			sum, known = sum+cost, known+1
		}
	}
	for _, n := range nodes {
		if n.fresh {
			n.fresh = false
			n.estimate(sum / float64(max(known, 1)))
		}
	}
}

// join makes the node of an instance, which is to be dialled.
func (p *Pool[C]) join(instance sd.Instance) *node[C] {
	n := &node[C]{Node: newNode(instance, p.clock)}
	n.first = rand.Uint32N(budgetEvery) //nolint:gosec // so that not all earn their retries at the same time
	n.rated.begun = n.first
	n.tallies = [2]tally{{ended: n.first}, {ended: n.first}}
	n.calls.Store(uint64(n.first) * begun)
	return n
}

// leave takes a node out of the set; the calls that it has go on.
func (p *Pool[C]) leave(n *node[C]) {
	n.left, p.stale = true, true
	if n.cancel != nil {
		n.cancel()
	}
	if !n.connected {
		return
	}
	p.urgent = true
	p.counts.connected--
	n.cold = false
	if n.ejected {
		n.ejected = false
		p.counts.ejected--
	}
	p.gone = append(p.gone, n)
	p.leaving[n] = struct{}{}
}
