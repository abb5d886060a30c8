package lb

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
)

type weightedRoundRobin struct{}

// WeightedRoundRobin takes the instances in turn, each as often as its weight says, and smoothly: the calls of a heavy one are spread
// evenly among those of the others, and not in a row. At any time each has had the calls that are its due, but for a handful. It
// heeds no load. With equal weights it is RoundRobin.
//
// The weights divide the numbers from 0 to 1 among the instances, and the multiples of the golden ratio, without their whole part, are
// looked up there. Of all sequences of multiples these are spread most evenly, at each moment (Knuth, The Art of Computer Programming,
// volume 3, section 6.4, theorem S: the three-distance theorem). So a pick is one addition that callers share and one look-up, however
// many instances there are and whatever their weights. The scheduler of nginx, which is as smooth, costs O(n) under a lock, and that of
// gRPC (proposal A58), which is lock-free, has to confine weights to a tenth and to ten times the mean.
func WeightedRoundRobin() Policy { return weightedRoundRobin{} }

func (weightedRoundRobin) Measures() bool { return false }

func (weightedRoundRobin) Picker(nodes []*Node) Picker {
	if alike(nodes) {
		return roundRobin{}.Picker(nodes)
	}
	p := &weightedPicker{nodes: nodes, shares: newShares(nodes)}
	p.next.Store(rand.Uint64()) //nolint:gosec // so that many callers do not begin with the same instance
	return p
}

type weightedPicker struct {
	nodes  []*Node
	shares *shares
	_      [64]byte
	next   atomic.Uint64
	_      [64]byte
}

func (p *weightedPicker) Pick(_ context.Context, tried Tried) int {
	i := p.shares.at(p.next.Add(golden))
	if tried == nil {
		return i
	}
	for range tried {
		if !tried.Has(p.nodes[i]) {
			return i
		}
		i = p.shares.at(p.next.Add(golden))
	}
	return untried(p.nodes, tried, i)
}
