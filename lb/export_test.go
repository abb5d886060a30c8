package lb

import "slices"

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
