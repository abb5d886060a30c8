package lb

import (
	"math"
	"time"
)

const never = time.Duration(math.MaxInt64)

// agenda holds nodes by the time at which something is to be done with them. It is a binary heap, the earliest first. A node that has
// left stays in it until its time.
type agenda[C any] []appointment[C]

type appointment[C any] struct {
	at   time.Duration
	node *node[C]
}

// add makes the time of the node wait from now.
func (a *agenda[C]) add(n *node[C], now, wait time.Duration) {
	*a = append(*a, appointment[C]{now + min(wait, never-now), n})
	h := *a
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if h[parent].at <= h[i].at {
			return
		}
		h[parent], h[i] = h[i], h[parent]
		i = parent
	}
}

// due takes a node whose time has come, or returns nil.
func (a *agenda[C]) due(now time.Duration) *node[C] {
	h := *a
	if len(h) == 0 || h[0].at > now {
		return nil
	}
	n, last := h[0].node, len(h)-1
	h[0], h[last] = h[last], appointment[C]{}
	h = h[:last]
	*a = h
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h[child].at < h[least].at {
				least = child
			}
		}
		if least == i {
			return n
		}
		h[least], h[i] = h[i], h[least]
		i = least
	}
}

// wait is how long there is nothing to do.
func (a *agenda[C]) wait(now time.Duration) time.Duration {
	if len(*a) == 0 {
		return never
	}
	return max(0, (*a)[0].at-now)
}
