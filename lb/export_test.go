package lb

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// Clock is the time of nodes that have no pool.
type Clock = clock

// NewClock returns a Clock that begins now.
func NewClock() *Clock { return newClock() }

// Set makes Last return t.
func (c *clock) Set(t time.Duration) { c.last.Store(int64(t)) }

// NewNode returns a node that has no pool.
func NewNode(instance sd.Instance, clock *Clock) *Node { return newNode(instance, clock) }

// Begin begins a call, and says whether it is to be timed.
func (n *Node) Begin() (timed bool) { return n.times(n.begin()) }

// End ends a call.
func (n *Node) End() { n.end() }

// Observe tells how long a call took that ended now, and whether it failed.
func (n *Node) Observe(now, took time.Duration, failed bool) {
	if failed {
		n.failed()
	} else {
		n.succeeded()
	}
	n.observe(now, took, failed)
}

// Picks says how many instances can be picked, and whether the one with the ID is among them.
func (p *Pool[C]) Picks(id string) (n int, has bool) {
	nodes := p.current.Load().nodes
	_, has = slices.BinarySearchFunc(nodes, id, func(n *node[C], id string) int {
		if n.id < id {
			return -1
		}
		if n.id > id {
			return 1
		}
		return 0
	})
	return len(nodes), has
}

// Appointments says how many nodes the pool has in its agendas.
func (p *Pool[C]) Appointments() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.out.heap) + len(p.cold.heap) + len(p.draining.heap) + len(p.dials.later.heap) + len(p.dials.slow.heap)
}

// Due puts nodes with these numbers, as times, into an agenda, and returns those that come out, in their order. Those with an odd one are off
// as soon as they are in it.
func Due(at []int) (order []int) {
	var a agenda[int]
	for _, t := range at {
		a.add(&node[int]{index: t}, 0, time.Duration(t), func(n *node[int]) bool { return n.index%2 == 1 })
	}
	for n := a.due(never); n != nil; n = a.due(never) {
		order = append(order, n.index)
	}
	return order
}
