package lb

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
)

type roundRobin struct{}

// RoundRobin takes one instance after the other, whatever their weights and their load.
func RoundRobin() Policy { return roundRobin{} }

func (roundRobin) Measures() bool { return false }

func (roundRobin) Picker(nodes []*Node) Picker {
	p := &roundRobinPicker{nodes: nodes, n: uint64(len(nodes))}
	p.next.Store(rand.Uint64N(p.n)) //nolint:gosec // so that many callers do not begin with the same instance
	return p
}

type roundRobinPicker struct {
	nodes []*Node
	n     uint64
	_     [64]byte
	next  atomic.Uint64
	_     [64]byte
}

func (p *roundRobinPicker) Pick(_ context.Context, tried Tried) int {
	i := int(p.next.Add(1) % p.n)
	if tried == nil {
		return i
	}
	return untried(p.nodes, tried, i)
}

// untried returns i, or the index of the next node after it that was not tried, where there is one.
func untried(nodes []*Node, tried Tried, i int) int {
	for range nodes {
		if !tried.Has(nodes[i]) {
			return i
		}
		if i++; i == len(nodes) {
			i = 0
		}
	}
	return i
}
