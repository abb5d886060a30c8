package lb

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	never = time.Duration(math.MaxInt64)

	fewAppointments = 64 // that are never looked through for those that are off
)

// agenda holds nodes by the time at which something is to be done with them. Those with which nothing is any more, as with one that has
// left, stay in it until they are half of all, so that it does not grow with what has been.
type agenda[C any] struct {
	heap []appointment[C] // a binary heap, the earliest first
	most int              // how many there may be until it is looked through
}

type appointment[C any] struct {
	at   time.Duration
	node *node[C]
}

// add makes the time of the node wait from now. Off says that nothing is to be done with a node any more.
func (a *agenda[C]) add(n *node[C], now, wait time.Duration, off func(*node[C]) bool) {
	if len(a.heap) >= max(a.most, fewAppointments) {
		a.heap = slices.DeleteFunc(a.heap, func(p appointment[C]) bool { return off(p.node) })
		slices.SortFunc(a.heap, func(p, q appointment[C]) int { return cmp.Compare(p.at, q.at) })
		a.most = 2 * len(a.heap)
	}
	a.heap = append(a.heap, appointment[C]{now + min(wait, never-now), n})
	h := a.heap
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
	h := a.heap
	if len(h) == 0 || h[0].at > now {
		return nil
	}
	n, last := h[0].node, len(h)-1
	h[0], h[last] = h[last], appointment[C]{}
	h = h[:last]
	a.heap = h
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
	if len(a.heap) == 0 {
		return never
	}
	return max(0, a.heap[0].at-now)
}
