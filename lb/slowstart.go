package lb

import (
	"context"
	"math/rand/v2"
	"time"
)

const leastWarm = 0.1 // the share of an instance that has just begun

// warm ends the slow start of those whose time is over, and returns how long until the next.
func (p *Pool[C]) warm(now time.Duration) (wait time.Duration) {
	for n := p.cold.due(now); n != nil; n = p.cold.due(now) {
		if n.cold { // else it has left
			n.cold, p.stale = false, true
		}
	}
	return p.cold.wait(now)
}

// warmPicker passes over instances that have begun a short while ago, the more often the shorter it is, whatever the policy.
type warmPicker struct {
	all    Picker
	nodes  []*Node
	since  []time.Duration // negative for those that are warm
	warm   Picker          // of these
	index  []int           // of these among all
	clock  *clock
	window time.Duration
}

// warmPicker returns the Picker that prefers the warm among the nodes, or picker itself where they are all warm, or none.
func (p *Pool[C]) warmPicker(nodes []*node[C], picker Picker, missing int) Picker {
	w := &warmPicker{all: picker, nodes: bare(nodes), since: make([]time.Duration, len(nodes)), clock: p.clock, window: p.config.slowStart}
	warm := make([]*node[C], 0, len(nodes))
	for i, n := range nodes {
		n.index, w.since[i] = i, n.since
		if !n.cold {
			warm, w.since[i] = append(warm, n), -1
		}
	}
	if len(warm) == 0 || len(warm) == len(nodes) { // where all have begun just now, it does not matter which is taken
		return picker
	}
	warm, w.warm = p.zoned(warm, missing)
	w.index = make([]int, len(warm))
	for i, n := range warm {
		w.index[i] = n.index
	}
	return w
}

func (p *warmPicker) Pick(ctx context.Context, tried Tried) int {
	i := p.all.Pick(ctx, tried)
	if p.since[i] < 0 {
		return i
	}
	warmth := float64(p.clock.Now()-p.since[i]) / float64(p.window)
	if rand.Float64() < max(warmth, leastWarm) { //nolint:gosec // no secret
		return i
	}
	j := p.index[p.warm.Pick(ctx, tried)]
	if tried.Has(p.nodes[j]) {
		return i
	}
	return j
}
