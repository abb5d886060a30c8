package lbtest

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

var pickChecks = []check{
	{
		name: "SingleNode", run: singleNode,
		clause: "Pick returns the index of a node, also when there is one only, and when that was tried.",
	},
	{
		name: "ValidIndex", run: validIndex,
		clause: "Pick returns the index of a node, however many there are, and whatever their weights and their load.",
	},
	{
		name: "AvoidsTried", run: avoidsTried,
		clause: "Pick avoids the nodes of tried where there is another.",
	},
	{
		name: "AllTried", run: allTried,
		clause: "Pick returns the index of a node also when all were tried.",
	},
	{
		name: "ReachesAll", run: reachesAll,
		clause: "No idle instance is left out for good.",
	},
	{
		name: "ForgivesFailures", run: forgivesFailures,
		clause: "An instance whose calls have failed is picked again after a while, also when all others do well.",
	},
	{
		name: "NoAllocation", run: noAllocation,
		clause: "Pick allocates nothing.",
	},
}

// newNodes returns n nodes, the i-th of which has the weight.
func newNodes(n int, weight func(i int) int) []*lb.Node { return newNodesAt(lb.NewClock(), n, weight) }

func newNodesAt(clock *lb.Clock, n int, weight func(i int) int) []*lb.Node {
	nodes := make([]*lb.Node, n)
	for i := range nodes {
		id := fmt.Sprintf("10.0.%d.%d:80", i/256, i%256)
		nodes[i] = lb.NewNode(sd.Instance{ID: id, Address: id, Weight: weight(i)}, clock)
	}
	return nodes
}

func equal(int) int    { return 1 }
func rising(i int) int { return i + 1 }
func uneven(i int) int { return []int{1, 1, 7, 65_535, 100}[i%5] }

func inRange(i int, nodes []*lb.Node) error {
	if i < 0 || i >= len(nodes) {
		return fmt.Errorf("of %d nodes it has picked number %d", len(nodes), i)
	}
	return nil
}

func singleNode(h *Harness) error {
	nodes := newNodes(1, equal)
	picker := h.New().Picker(nodes)
	for i := range 100 {
		for _, tried := range []lb.Tried{nil, {}, {nodes[0]}} {
			if have := picker.Pick(h.context(i), tried); have != 0 {
				return fmt.Errorf("of 1 node it has picked number %d", have)
			}
		}
	}
	return nil
}

func validIndex(h *Harness) error {
	for _, n := range []int{1, 2, 3, 7, 100, 1000} {
		for _, weight := range []func(int) int{equal, rising, uneven} {
			nodes := newNodes(n, weight)
			picker := h.New().Picker(nodes)
			for i := range 1000 {
				have := picker.Pick(h.context(i), nil)
				if err := inRange(have, nodes); err != nil {
					return err
				}
				nodes[have].Begin() // and no End, so that load grows
			}
		}
	}
	return nil
}

func avoidsTried(h *Harness) error {
	const n = 5
	for _, weight := range []func(int) int{equal, uneven} {
		nodes := newNodes(n, weight)
		picker := h.New().Picker(nodes)
		for which := range 1<<n - 1 {
			var tried lb.Tried
			for i, node := range nodes {
				if which&(1<<i) != 0 {
					tried = append(tried, node)
				}
			}
			for i := range 50 {
				have := picker.Pick(h.context(i), tried)
				if err := inRange(have, nodes); err != nil {
					return err
				}
				nodes[have].Begin() // those that were not tried have more to do
				if tried.Has(nodes[have]) {
					return fmt.Errorf("it has picked number %d of %d, which is one of the %d that were tried", have, n, len(tried))
				}
			}
		}
	}
	return nil
}

func allTried(h *Harness) error {
	for _, n := range []int{2, 5, 100} {
		nodes := newNodes(n, uneven)
		picker := h.New().Picker(nodes)
		for i := range 50 {
			if err := inRange(picker.Pick(h.context(i), nodes), nodes); err != nil {
				return err
			}
		}
	}
	return nil
}

func reachesAll(h *Harness) error {
	const n, picks = 10, 10_000
	nodes := newNodes(n, rising)
	counts := count(h, h.New().Picker(nodes), n, picks)
	for i, c := range counts {
		if c == 0 {
			return fmt.Errorf("in %d picks of %d nodes it has never picked number %d, whose weight is %v", picks, n, i, nodes[i].Share())
		}
	}
	return nil
}

// forgivesFailures has the calls of one node fail, before or after one that did not, and then makes a thousand a second that all succeed.
func forgivesFailures(h *Harness) error {
	const n, failing, failures, picks = 3, 1, 4, 120_000
	for _, weight := range []func(int) int{equal, rising} {
		for _, before := range []bool{false, true} {
			clock := lb.NewClock()
			nodes := newNodesAt(clock, n, weight)
			picker := h.New().Picker(nodes)
			if before {
				nodes[failing].Observe(0, time.Millisecond, false)
			}
			for range failures {
				nodes[failing].Observe(0, 0, true)
			}
			picked := false
			for i := 0; i < picks && !picked; i++ {
				now := time.Duration(i) * time.Millisecond
				clock.Set(now)
				have := picker.Pick(h.context(i), nil)
				if err := inRange(have, nodes); err != nil {
					return err
				}
				nodes[have].Observe(now, time.Millisecond, false)
				picked = have == failing
			}
			if !picked {
				return fmt.Errorf("in %d picks of %d nodes, a thousand a second, it has never picked number %d, of which %d calls had failed",
					picks, n, failing, failures)
			}
		}
	}
	return nil
}

// count returns how often each of n nodes was picked.
func count(h *Harness, picker lb.Picker, n, picks int) []int {
	counts := make([]int, n)
	for i := range picks {
		counts[picker.Pick(h.context(i), nil)]++
	}
	return counts
}

func noAllocation(h *Harness) error {
	const picks, attempts = 20, 100
	for _, weight := range []func(int) int{equal, rising} {
		nodes := newNodes(10, weight)
		picker := h.New().Picker(nodes)
		for _, tried := range []lb.Tried{nil, {nodes[0], nodes[4]}} {
			ctx := h.context(0)
			for attempt := 1; ; attempt++ { // what else goes on in the process allocates, too
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range picks {
					picker.Pick(ctx, tried)
				}
				runtime.ReadMemStats(&after)
				if after.Mallocs-before.Mallocs < picks {
					break
				}
				if attempt == attempts {
					return errors.New("each of a hundred times it has allocated")
				}
			}
		}
	}
	return nil
}
