package lb

import (
	"container/heap"
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
	heap appointments[C]
	most int // how many there may be until it is looked through
}

type appointment[C any] struct {
	at   time.Duration
	node *node[C]
}

// appointments is a heap.Interface, the earliest first.
type appointments[C any] []appointment[C]

func (a appointments[C]) Len() int           { return len(a) }
func (a appointments[C]) Less(i, j int) bool { return a[i].at < a[j].at }
func (a appointments[C]) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *appointments[C]) Push(x any)        { *a = append(*a, x.(appointment[C])) } //nolint:forcetypeassert // by add only

func (a *appointments[C]) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = appointment[C]{}
	*a = (*a)[:last]
	return x
}

// add makes the time of the node wait from now. Off says that nothing is to be done with a node any more.
func (a *agenda[C]) add(n *node[C], now, wait time.Duration, off func(*node[C]) bool) {
	if len(a.heap) >= max(a.most, fewAppointments) {
		a.heap = slices.DeleteFunc(a.heap, func(p appointment[C]) bool { return off(p.node) })
		heap.Init(&a.heap)
		a.most = 2 * len(a.heap)
	}
	heap.Push(&a.heap, appointment[C]{now + min(wait, never-now), n})
}

// due takes a node whose time has come, or returns nil.
func (a *agenda[C]) due(now time.Duration) *node[C] {
	if a.wait(now) > 0 {
		return nil
	}
	n := a.heap[0].node
	heap.Pop(&a.heap)
	return n
}

// wait is how long there is nothing to do.
func (a *agenda[C]) wait(now time.Duration) time.Duration {
	if len(a.heap) == 0 {
		return never
	}
	return max(0, a.heap[0].at-now)
}
