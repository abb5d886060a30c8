package lb

import (
	"context"
	"math/rand/v2"
)

type random struct{}

// Random takes any instance, whatever their weights and their load. It is safe where callers cannot know of each other, and costs least;
// with few calls they are spread less evenly than by RoundRobin.
func Random() Policy { return random{} }

func (random) Measures() bool { return false }

func (random) Picker(nodes []*Node) Picker { return randomPicker(nodes) }

type randomPicker []*Node

func (p randomPicker) Pick(_ context.Context, tried Tried) int {
	i := rand.IntN(len(p)) //nolint:gosec // no secret
	if tried == nil {
		return i
	}
	return untried(p, tried, i)
}
