package lbtest

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
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

func inRange(i int, nodes []*lb.Node) error {
	if i < 0 || i >= len(nodes) {
		return fmt.Errorf("of %d nodes it has picked number %d", len(nodes), i)
	}
	return nil
}

func singleNode(t *testing.T, h *Harness) error {
	t.Helper()
	nodes := h.nodes(t, 1, equal)
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

func validIndex(t *testing.T, h *Harness) error {
	t.Helper()
	for _, n := range []int{1, 2, 3, 7, 100, 1000} {
		for _, weight := range []func(int) int{equal, rising, uneven} {
			s := open(t, h, n, weight)
			picker := h.New().Picker(s.nodes)
			for i := range 1000 {
				have := picker.Pick(h.context(i), nil)
				if err := inRange(have, s.nodes); err != nil {
					return err
				}
				s.begin(have) // and no End, so that load grows
			}
		}
	}
	return nil
}

func avoidsTried(t *testing.T, h *Harness) error {
	t.Helper()
	const n = 5
	for _, weight := range []func(int) int{equal, uneven} {
		s := open(t, h, n, weight)
		picker := h.New().Picker(s.nodes)
		for which := range 1<<n - 1 {
			var tried lb.Tried
			for i, node := range s.nodes {
				if which&(1<<i) != 0 {
					tried = append(tried, node)
				}
			}
			for i := range 50 {
				have := picker.Pick(h.context(i), tried)
				if err := inRange(have, s.nodes); err != nil {
					return err
				}
				s.begin(have) // those that were not tried have more to do
				if tried.Has(s.nodes[have]) {
					return fmt.Errorf("it has picked number %d of %d, which is one of the %d that were tried", have, n, len(tried))
				}
			}
		}
	}
	return nil
}

func allTried(t *testing.T, h *Harness) error {
	t.Helper()
	for _, n := range []int{2, 5, 100} {
		nodes := h.nodes(t, n, uneven)
		picker := h.New().Picker(nodes)
		for i := range 50 {
			if err := inRange(picker.Pick(h.context(i), nodes), nodes); err != nil {
				return err
			}
		}
	}
	return nil
}

func reachesAll(t *testing.T, h *Harness) error {
	t.Helper()
	const n, picks = 10, 10_000
	nodes := h.nodes(t, n, rising)
	counts := count(h, h.New().Picker(nodes), n, picks)
	for i, c := range counts {
		if c == 0 {
			return fmt.Errorf("in %d picks of %d nodes it has never picked number %d, whose weight is %v", picks, n, i, nodes[i].Share())
		}
	}
	return nil
}

// forgivesFailures has the calls of one node fail, with or without one before that did not, and then makes a thousand a second that all
// succeed.
func forgivesFailures(t *testing.T, h *Harness) error {
	t.Helper()
	const n, failing, failures, picks = 3, 1, 4, 120_000
	for _, weight := range []func(int) int{equal, rising} {
		for _, before := range []bool{false, true} {
			s := open(t, h, n, weight)
			picker := h.New().Picker(s.nodes)
			if before {
				s.call(failing)
			}
			for range failures {
				s.begin(failing)(errFailed)
			}
			picked := false
			for i := 0; i < picks && !picked; i++ {
				have := picker.Pick(h.context(i), nil)
				if err := inRange(have, s.nodes); err != nil {
					return err
				}
				s.call(have)
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

func noAllocation(t *testing.T, h *Harness) error {
	t.Helper()
	const picks, attempts = 20, 100
	for _, weight := range []func(int) int{equal, rising} {
		nodes := h.nodes(t, 10, weight)
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
