package lb

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// draws is for drawing nodes at random in proportion to their weights, by one look at a table: Walker, "An Efficient Method for
// Generating Discrete Random Variables with General Distributions" (ACM TOMS 3, 1977); Vose's way to make it (IEEE TSE 17, 1991).
type draws struct {
	cells []cell
	mean  float64 // weight
}

// cell is the part of the numbers that belongs to a node, but for what it has too little weight for.
type cell struct {
	own   uint32 // of 2^32 numbers, how many are its own
	other int32  // whose the others are; its own where there are none
}

// newDraws returns nil where the weights are all the same.
func newDraws(nodes []*Node) *draws {
	if alike(nodes) {
		return nil
	}
	sum := 0.0
	for _, n := range nodes {
		sum += n.Share()
	}
	d := &draws{cells: make([]cell, len(nodes)), mean: sum / float64(len(nodes))}
	rest := make([]float64, len(nodes)) // how many cells each still has a claim to
	var poor, rich []int32
	for i, n := range nodes {
		d.cells[i].other = int32(i)
		if rest[i] = n.Share() / d.mean; rest[i] < 1 {
			poor = append(poor, int32(i))
		} else {
			rich = append(rich, int32(i))
		}
	}
	for len(poor) > 0 && len(rich) > 0 {
		p, r := poor[len(poor)-1], rich[len(rich)-1]
		poor = poor[:len(poor)-1]
		d.cells[p] = cell{own: uint32(min(rest[p]*(1<<32), math.MaxUint32)), other: r}
		if rest[r] -= 1 - rest[p]; rest[r] < 1 {
			rich, poor = rich[:len(rich)-1], append(poor, r)
		}
	}
	return d
}

// alike says whether all weights are the same.
func alike(nodes []*Node) bool {
	first := nodes[0].Share()
	return !slices.ContainsFunc(nodes, func(n *Node) bool { return n.Share() != first })
}

// draw returns the number of a node.
func (d *draws) draw() int {
	i, within := bits.Mul64(rand.Uint64(), uint64(len(d.cells))) //nolint:gosec // no secret
	if c := d.cells[i]; uint32(within>>32) >= c.own {
		return int(c.other)
	}
	return int(i)
}

// load is how many calls the node has in flight, in relation to its weight.
func (d *draws) load(n *Node) float64 { return float64(n.InFlight()) * d.mean / n.Share() }
