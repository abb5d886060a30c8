package lb

import (
	"context"
	"math"
	"math/rand/v2"
)

// overprovision is how much more than its share a zone can take. So Envoy's, for the share of a priority level that stays:
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority.
const overprovision = 1.4

// missing is how many instances of the pool's zone are not among the nodes that can be picked, since they are ejected or could not be
// dialled. One that is being dialled for the first time is not missed.
func (p *Pool[C]) missing(nodes []*node[C]) (count int) {
	if p.config.zone == "" {
		return 0
	}
	for _, n := range p.nodes {
		if p.isNear(n) && (n.connected || n.failures > 0) {
			count++
		}
	}
	for _, n := range nodes {
		if p.isNear(n) {
			count--
		}
	}
	return count
}

func (p *Pool[C]) isNear(n *node[C]) bool { return n.instance.Load().Zone == p.config.zone }

// zoned returns a Picker that prefers the instances of the pool's zone, and the nodes in the order in which it counts them. While
// all instances of the zone are well it takes no others. When some are missing the others of the zone take their calls, up to
// overprovision times what they had; what is more spills over to the other zones.
func (p *Pool[C]) zoned(nodes []*node[C], missing int) ([]*node[C], Picker) {
	if p.config.zone == "" {
		return nodes, p.policyPicker(nodes)
	}
	ordered := make([]*node[C], 0, len(nodes))
	var others []*node[C]
	for _, n := range nodes {
		if p.isNear(n) {
			ordered = append(ordered, n)
		} else {
			others = append(others, n)
		}
	}
	near := len(ordered)
	ordered = append(ordered, others...)
	if near < p.config.minInZone || len(others) == 0 {
		return ordered, p.policyPicker(ordered)
	}
	picker := &zonePicker{
		local: p.policyPicker(ordered[:near:near]), others: p.policyPicker(ordered[near:]), nodes: bare(ordered), near: near,
		threshold: math.MaxUint64,
	}
	if share := overprovision * float64(near) / float64(near+missing); share < 1 {
		picker.threshold = uint64(share * math.MaxUint64)
	}
	return ordered, picker
}

// zonePicker takes the instances of a zone most of the time.
type zonePicker struct {
	local, others Picker
	nodes         []*Node
	near          int    // how many are local
	threshold     uint64 // of 2^64 picks, how many are local
}

func (p *zonePicker) Pick(ctx context.Context, tried Tried) int {
	local := p.threshold == math.MaxUint64 || rand.Uint64() < p.threshold //nolint:gosec // no secret
	i := p.pick(ctx, tried, local)
	if tried.Has(p.nodes[i]) {
		return p.pick(ctx, tried, !local)
	}
	return i
}

func (p *zonePicker) pick(ctx context.Context, tried Tried, local bool) int {
	if local {
		return p.local.Pick(ctx, tried)
	}
	return p.near + p.others.Pick(ctx, tried)
}
