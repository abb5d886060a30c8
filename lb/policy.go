package lb

import (
	"context"
	"slices"
)

// Policy is a way to choose one of several instances. Values of it are made by RoundRobin, Random, WeightedRoundRobin, LeastRequest,
// PeakEWMA and ConsistentHash, and may be shared by pools. Suite lb/lbtest checks what follows.
type Policy interface {
	// Picker returns what chooses among the nodes, of which there is at least one. It is called anew, by one goroutine at a time,
	// when the set or the state of the instances has changed, while the Picker of before is still in use; the nodes that stay keep
	// their state. The slice is not changed afterwards.
	Picker(nodes []*Node) Picker
	// Measures says whether Node.Cost is used, so that calls are timed.
	Measures() bool
}

// Picker chooses one of the nodes that it was made for. It is safe for concurrent use, and does not block.
type Picker interface {
	// Pick returns the index of a node. It avoids those of tried where there is another.
	Pick(ctx context.Context, tried Tried) int
}

// Tried holds the nodes that one call has been to already. It is nil for a first attempt.
type Tried []*Node

// Has says whether the node is among them, or one that was in its place, since a pool makes another for an instance that was lost.
func (t Tried) Has(n *Node) bool {
	return slices.ContainsFunc(t, func(tried *Node) bool { return tried == n || tried.id == n.id })
}
