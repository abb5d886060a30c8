package lbtest

import (
	"fmt"
	"math"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
)

var claimChecks = []check{
	{
		name: "Even", claim: Even, run: even,
		clause: "It claims Even: idle instances get as many calls each, whatever their weights.",
	},
	{
		name: "Weighted", claim: Weighted, run: weighted,
		clause: "It claims Weighted: idle instances get calls in proportion to their weights.",
	},
	{
		name: "Load", claim: Load, run: load,
		clause: "It claims Load: an instance with far more calls in flight than the others gets fewer of them.",
	},
	{
		name: "Sticky", claim: Sticky, run: sticky,
		clause: "It claims Sticky: equal contexts go to the same idle instance, in all pickers of all policies with the same set.",
	},
	{
		name: "Minimal", claim: Minimal, run: minimal,
		clause: "It claims Minimal: when an instance leaves, only its own contexts go elsewhere.",
	},
}

func even(t *testing.T, h *Harness) error {
	t.Helper()
	return distribution(t, h, equal)
}

func weighted(t *testing.T, h *Harness) error {
	t.Helper()
	return distribution(t, h, rising)
}

// distribution compares how often idle nodes with rising weights are picked with what each is due.
func distribution(t *testing.T, h *Harness, due func(i int) int) error {
	t.Helper()
	const n, picks = 4, 40_000
	nodes, sum := h.nodes(t, n, rising), 0
	for i := range n {
		sum += due(i)
	}
	for i, c := range count(h, h.New().Picker(nodes), n, picks) {
		want, have := float64(due(i))/float64(sum), float64(c)/picks
		if math.Abs(want-have) > h.Tolerance {
			return fmt.Errorf("of idle nodes with the weights 1, 2, 3 and 4, number %d got %.3f of the calls; want %.3f", i, have, want)
		}
	}
	return nil
}

func load(t *testing.T, h *Harness) error {
	t.Helper()
	const n, busy, picks = 4, 2, 4000
	s := open(t, h, n, equal)
	picker := h.New().Picker(s.nodes)
	for i := range n {
		calls := 1
		if i == busy {
			calls = 1000
		}
		for range calls {
			s.begin(i)
		}
	}
	if want, have := picks/n/2, count(h, picker, n, picks)[busy]; have > want {
		return fmt.Errorf("one of %d nodes has 1000 calls in flight, the others 1: of %d calls it got %d, want %d at most", n, picks, have, want)
	}
	return nil
}

func sticky(t *testing.T, h *Harness) error {
	t.Helper()
	nodes := h.nodes(t, 20, rising)
	policy := h.New()
	first, again, other := policy.Picker(nodes), policy.Picker(nodes), h.New().Picker(h.nodes(t, 20, rising))
	for i := range 1000 {
		want := first.Pick(h.context(i), nil)
		for _, picker := range []lb.Picker{first, again, other} {
			if have := picker.Pick(h.context(i), nil); want != have {
				return fmt.Errorf("for one context it has picked number %d and then number %d", want, have)
			}
		}
	}
	return nil
}

func minimal(t *testing.T, h *Harness) error {
	t.Helper()
	const n, picks = 20, 10_000
	nodes := h.nodes(t, n, equal)
	policy := h.New()
	all := policy.Picker(nodes)
	for gone := range n {
		rest := policy.Picker(append(nodes[:gone:gone], nodes[gone+1:]...))
		for i := range picks {
			want, have := all.Pick(h.context(i), nil), rest.Pick(h.context(i), nil)
			if have >= gone {
				have++
			}
			if want != gone && want != have {
				return fmt.Errorf("when number %d left, a context went from number %d to number %d", gone, want, have)
			}
		}
	}
	return nil
}
