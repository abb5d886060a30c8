package lb

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultHashBound is how many calls an instance may have in flight, as a multiple of its due.
const DefaultHashBound = 1.25

// HashOption sets up ConsistentHash.
type HashOption func(*consistentHash) error

// HashBound sets how many calls an instance may have in flight, as a multiple of its due, before its keys go to others as well. The
// default is DefaultHashBound. Close to 1 the load is spread evenly and keys move much; with math.Inf(1) keys stay whatever the load. It
// must be more than 1.
func HashBound(multiple float64) HashOption {
	return func(c *consistentHash) error {
		if !(multiple > 1) {
			return fmt.Errorf("HashBound(%v): want more than 1", multiple)
		}
		c.bound = multiple
		return nil
	}
}

// ConsistentHash sends calls with the same key, which WithKey sets, to the same instance, in all processes that have the same set. An
// instance that joins takes keys from all, and one that leaves hands its own to all; no other key moves, unless the mean weight has
// passed a power of two. While an
// instance has more calls in flight than HashBound allows, its keys go to the next instance on the circle that has room, as does a
// call that has tried it. A call without a key takes, of two instances, the one with fewer calls in flight. It panics when an option is
// wrong.
//
// A pick takes the same time however many instances there are, but for those that have no room. Each instance has some 100 points on
// the circle: a change among ten instances costs 10 to 50 µs, and among 10,000 10 to 20 ms, during which calls go on with what was before.
//
// Source: Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2016, https://arxiv.org/abs/1608.01350).
func ConsistentHash(opts ...HashOption) Policy {
	c := &consistentHash{bound: DefaultHashBound}
	option.Apply("lb: ConsistentHash", c, opts)
	return c
}

type consistentHash struct{ bound float64 }

func (*consistentHash) Measures() bool { return false }

func (c *consistentHash) Picker(nodes []*Node) Picker {
	p := &hashPicker{nodes: nodes, dues: make([]float64, len(nodes)), ring: newRing(nodes), unkeyed: leastRequest{2}.Picker(nodes)}
	sum := 0.0
	for i, n := range nodes {
		n.count()
		p.dues[i] = n.Share()
		sum += p.dues[i]
	}
	for i := range p.dues {
		p.dues[i] *= c.bound / sum
	}
	return p
}

type hashPicker struct {
	nodes   []*Node
	dues    []float64 // by node, of all calls in flight how many it may have
	ring    *ring
	unkeyed Picker
}

func (p *hashPicker) Pick(ctx context.Context, tried Tried) int {
	key, ok := keyHash(ctx)
	if !ok {
		return p.unkeyed.Pick(ctx, tried)
	}
	start := p.ring.first(key)
	calls := float64(p.nodes[0].clock.inFlight.Load() + 1) // with this one
	untried := -1
	for i, last := start, -1; ; {
		owner := int(p.ring.owners[i])
		if owner != last && (tried == nil || !tried.Has(p.nodes[owner])) {
			if float64(p.nodes[owner].InFlight()) < calls*p.dues[owner] {
				return owner
			}
			if untried < 0 {
				untried = owner
			}
		}
		last = owner
		if i++; i == len(p.ring.owners) {
			i = 0
		}
		if i == start {
			break
		}
	}
	if untried >= 0 { // none has room, since others began calls meanwhile
		return untried
	}
	return int(p.ring.owners[start])
}
