package lb

import (
	"context"
	"fmt"
	"math/rand/v2"
)

const maxChoices = 100 // each costs a look at what other callers change

// LeastRequest takes some instances at random, and of these the one with the fewest calls in flight. Where there are no more instances than
// choices, all are compared. It knows nothing of how long calls take, and so suits calls that are alike, also those that are long.
// Where weights differ, the choices are taken in proportion to them, and calls in flight count for their share. It panics unless choices
// is from 2 to 100.
//
// Sources: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (IEEE TPDS 2001); so does Envoy, with two choices by
// default: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancers.
func LeastRequest(choices int) Policy {
	if choices < 2 || choices > maxChoices {
		panic(fmt.Sprintf("lb: LeastRequest(%d): want 2 to %d", choices, maxChoices))
	}
	return leastRequest{choices}
}

type leastRequest struct{ choices int }

func (leastRequest) Measures() bool { return false }

func (l leastRequest) Picker(nodes []*Node) Picker {
	return &leastRequestPicker{nodes: nodes, draws: newDraws(nodes), choices: min(l.choices, len(nodes)), all: len(nodes) <= l.choices}
}

type leastRequestPicker struct {
	nodes   []*Node
	draws   *draws // nil where the weights are all the same
	choices int
	all     bool
}

func (p *leastRequestPicker) Pick(_ context.Context, tried Tried) int {
	best := p.draw()
	if tried != nil {
		best = untried(p.nodes, tried, best)
	}
	least := p.load(best)
	for c, next := 1, best; c < p.choices && least > 0; c++ {
		next = p.other(next)
		if load := p.load(next); load < least && !tried.Has(p.nodes[next]) {
			best, least = next, load
		}
	}
	return best
}

func (p *leastRequestPicker) draw() int {
	if p.draws != nil {
		return p.draws.draw()
	}
	return rand.IntN(len(p.nodes)) //nolint:gosec // no secret
}

// other returns another choice than i.
func (p *leastRequestPicker) other(i int) int {
	switch {
	case p.all:
		i++
	case p.draws != nil:
		return p.draw() // it may be the same
	default:
		i += 1 + rand.IntN(len(p.nodes)-1) //nolint:gosec // no secret
	}
	if i >= len(p.nodes) {
		i -= len(p.nodes)
	}
	return i
}

func (p *leastRequestPicker) load(i int) float64 {
	if p.draws != nil {
		return p.draws.load(p.nodes[i])
	}
	return float64(p.nodes[i].InFlight())
}
