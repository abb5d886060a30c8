package lb

import (
	"context"
	"math/rand/v2"
)

type peakEWMA struct{}

// PeakEWMA takes two instances at random, and of these the one that is expected to answer first: that with the smaller product of
// how long its calls take (Node.Cost) and how many would be in flight with this one. Each failed call in a row doubles that, up to 128
// times. Where weights differ, the two are taken in proportion to them, and calls in flight count for their share. It is the default
// of a pool.
//
// Sources: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (IEEE TPDS 2001); the average that follows peaks at
// once is that of Finagle's p2cPeakEwma (https://twitter.github.io/finagle/guide/Clients.html).
func PeakEWMA() Policy { return peakEWMA{} }

func (peakEWMA) Measures() bool { return true }

func (peakEWMA) Picker(nodes []*Node) Picker {
	if d := newDraws(nodes); d != nil {
		return &weightedPeakEWMA{nodes: nodes, draws: d}
	}
	return peakEWMAPicker(nodes)
}

type peakEWMAPicker []*Node

func (p peakEWMAPicker) Pick(_ context.Context, tried Tried) int {
	if len(p) == 1 {
		return 0
	}
	i, j := twoOf(uint64(len(p)))
	if tried != nil {
		i = untried(p, tried, i)
		if tried.Has(p[j]) {
			return i
		}
	}
	if cheaper(p[j], p[i]) {
		return j
	}
	return i
}

// twoOf returns two different numbers below n, which is at least 2.
func twoOf(n uint64) (i, j int) {
	const half = 32
	r := rand.Uint64() //nolint:gosec // no secret
	a, b := (r>>half)*n>>half, (r&(1<<half-1))*(n-1)>>half
	if b >= a {
		b++
	}
	return int(a), int(b)
}

func cheaper(a, b *Node) bool {
	x, y := expected(a, b)
	return x*float64(a.InFlight()+1) < y*float64(b.InFlight()+1)
}

// expected is what a call is expected to cost at two nodes that have none in flight. What is not known yet is taken to be as the other; the
// penalty wanes then as known costs do, since a node whose first calls failed would not be picked again if it did not.
func expected(a, b *Node) (x, y float64) {
	x, y = a.Cost(), b.Cost()
	if x == 0 || y == 0 {
		return waning(a), waning(b)
	}
	return x * penalty(a), y * penalty(b)
}

// waning is the penalty of a node whose cost is not known.
func waning(n *Node) float64 {
	if n.fails.Load() == 0 {
		return 1
	}
	return max(1, penalty(n)*n.waned())
}

// penalty is by how much a node is taken to be dearer since its calls fail.
func penalty(n *Node) float64 {
	const most = 7
	return float64(uint32(1) << min(n.fails.Load(), most))
}

// weightedPeakEWMA is for nodes whose shares are not all the same.
type weightedPeakEWMA struct {
	nodes []*Node
	draws *draws
}

func (p *weightedPeakEWMA) Pick(_ context.Context, tried Tried) int {
	i, j := p.draws.draw(), p.draws.draw()
	if tried != nil {
		i = untried(p.nodes, tried, i)
		if tried.Has(p.nodes[j]) {
			return i
		}
	}
	if i == j {
		return i
	}
	a, b := p.nodes[i], p.nodes[j]
	x, y := expected(a, b)
	if y*(1+p.draws.load(b)) < x*(1+p.draws.load(a)) {
		return j
	}
	return i
}
