package lb

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

const leastWarm = 0.1 // the share of an instance that has just begun

// warm ends the slow start of those whose time is over, and returns how long until the next.
func (p *Pool[C]) warm(now time.Duration) (wait time.Duration) {
	wait = never
	p.cold = slices.DeleteFunc(p.cold, func(n *node[C]) bool {
		if end := n.since + p.config.slowStart; end > now && !n.left {
			wait = min(wait, end-now)
			return false
		}
		n.warm, p.stale = true, true
		return true
	})
	return wait
}

// warmPicker passes over instances that have begun a short while ago, the more often the shorter it is, whatever the policy.
type warmPicker struct {
	since  []time.Duration // negative for those that are warm
	picker Picker
	clock  *Clock
	window time.Duration
}

// newWarmPicker returns picker itself where no node has begun a short while ago.
func newWarmPicker[C any](picker Picker, nodes []*node[C], clock *Clock, window time.Duration) Picker {
	w := &warmPicker{picker: picker, clock: clock, window: window, since: make([]time.Duration, len(nodes))}
	cold := false
	for i, n := range nodes {
		w.since[i] = -1
		if !n.warm {
			cold, w.since[i] = true, n.since
		}
	}
	if !cold {
		return picker
	}
	return w
}

func (p *warmPicker) Pick(ctx context.Context, tried Tried) (i int) {
	const attempts = 8 // where all have begun just now, it does not matter which is taken
	for range attempts {
		i = p.picker.Pick(ctx, tried)
		if p.since[i] < 0 {
			return i
		}
		warm := float64(p.clock.Last()-p.since[i]) / float64(p.window)
		if rand.Float64() < max(warm, leastWarm) { //nolint:gosec // no secret
			return i
		}
	}
	return i
}
