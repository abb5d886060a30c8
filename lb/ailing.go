package lb

import (
	"math/rand/v2"
	"time"
)

const (
	latelyEvery = time.Second // calls of late are those of so long at least
	latelyCalls = 20          // and so many at least, for their share of failures to say anything
	ailingShare = 1.0 / 3     // of the share of failures of the node that is accused, so that another is no better
	ailingNodes = 7.0 / 8     // of the others are no better, when it is a matter of all
	ailingLooks = 100         // at others, so that it takes no longer in a large pool
)

// tally is what was counted of a node at some moment.
type tally struct {
	ended uint32 // calls, without those that were withheld, modulo 2^32
	bad   uint64
}

func (n *node[C]) tally() tally {
	calls := n.calls.Load()
	return tally{ended: uint32(calls>>32) - uint32(calls&flying) - n.withheld.Load(), bad: n.bad.Load()}
}

// lately is how many calls of the node have ended of late, and how many of them failed. It is counted from one look to another, so that
// those of a long time are among them when nobody has looked for long.
func (n *node[C]) lately(now time.Duration) (ended, failed float64) {
	have := n.tally()
	if now-n.tallied >= latelyEvery && int32(have.ended-n.tallies[1].ended) >= latelyCalls {
		n.tallies, n.tallied = [2]tally{n.tallies[1], have}, now
	}
	return float64(int32(have.ended - n.tallies[0].ended)), float64(have.bad - n.tallies[0].bad)
}

// ailing says whether nearly all others fail about as often as the node that is accused. Then it is no worse than they, and what is wrong
// is wrong with all, as in an overload, where a few failures in a row are what each of them has: to take one out would leave more for the
// others, and last longer than the overload. Where little is known of the others it is false.
func (p *Pool[C]) ailing(n *node[C]) bool {
	now := p.clock.Now()
	ended, failed := n.lately(now)
	share := ailingShare * failed / max(1, ended)
	known, ailing := 0.0, 0.0
	for i, first := 0, rand.IntN(len(p.nodes)+1); i < min(len(p.nodes), ailingLooks); i++ { //nolint:gosec // any will do
		other := p.nodes[(first+i)%len(p.nodes)]
		if other == n || !other.connected || other.ejected {
			continue
		}
		if ended, failed = other.lately(now); ended >= latelyCalls {
			known++
			if failed >= share*ended {
				ailing++
			}
		}
	}
	return ailing > ailingNodes*known
}
