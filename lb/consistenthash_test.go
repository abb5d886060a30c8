package lb_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
)

func ones(n int) []int {
	weights := make([]int, n)
	for i := range weights {
		weights[i] = 1
	}
	return weights
}

// The bound of the paper: no instance has more than its due, the bound times, rounded up, whatever the keys.
func TestAHotKeyDoesNotOverloadAnInstance(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		weights []int
		bound   float64
	}{
		"ten":         {ones(10), 1.25},
		"two":         {ones(2), 1.25},
		"a tight one": {ones(30), 1.01},
		"a loose one": {ones(10), 3},
		"weights":     {[]int{1, 2, 3, 4, 10}, 1.25},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes, _ := newNodes(row.weights...)
			sum := 0.0
			for _, n := range nodes {
				sum += n.Share()
			}
			picker := lb.ConsistentHash(lb.HashBound(row.bound)).Picker(nodes)
			hot := lb.WithKey(t.Context(), "hot")
			for m := 1; m <= 2000; m++ {
				nodes[picker.Pick(hot, nil)].Begin()
				for i, n := range nodes {
					if most := math.Ceil(row.bound * float64(m) * n.Share() / sum); float64(n.InFlight()) > most {
						t.Fatalf("of %d calls number %d has %d, want %v at most", m, i, n.InFlight(), most)
					}
				}
			}
			for _, n := range nodes {
				for range n.InFlight() {
					n.End()
				}
			}
			want := picker.Pick(hot, nil)
			for range 10 { // when they have ended all is as before
				if have := picker.Pick(hot, nil); want != have {
					t.Errorf("want number %d, have %d", want, have)
				}
			}
		})
	}
}

func TestWithoutABoundAKeyStays(t *testing.T) {
	t.Parallel()
	nodes, _ := newNodes(ones(10)...)
	picker := lb.ConsistentHash(lb.HashBound(math.Inf(1))).Picker(nodes)
	hot := lb.WithKey(t.Context(), "hot")
	want := picker.Pick(hot, nil)
	for range 1000 {
		have := picker.Pick(hot, nil)
		if want != have {
			t.Fatalf("want number %d, have %d", want, have)
		}
		nodes[have].Begin()
	}
}

func TestACallThatHasTriedItsInstanceGoesToTheNext(t *testing.T) {
	t.Parallel()
	nodes, _ := newNodes(ones(10)...)
	picker := lb.ConsistentHash().Picker(nodes)
	for k := range 100 {
		ctx := lb.WithKey(t.Context(), strconv.Itoa(k))
		var tried lb.Tried
		var order []int
		for range nodes {
			i := picker.Pick(ctx, tried)
			order, tried = append(order, i), append(tried, nodes[i])
		}
		for n := range order { // the same each time, and without the first the second is the first
			if have := picker.Pick(ctx, tried[:n]); have != order[n] {
				t.Fatalf("want number %d, have %d", order[n], have)
			}
		}
		rest := append(append([]*lb.Node{}, nodes[:order[0]]...), nodes[order[0]+1:]...)
		if want, have := nodes[order[1]], rest[lb.ConsistentHash().Picker(rest).Pick(ctx, nil)]; want != have {
			t.Errorf("want what is left to go to %s, have %s", want.ID(), have.ID())
		}
	}
}

// The counts of load of all nodes follow what callers do, also of those that come later.
func TestTheLoadIsThatOfAllInstances(t *testing.T) {
	t.Parallel()
	nodes, _ := newNodes(ones(10)...)
	for range 7 {
		nodes[0].Begin() // before there was a picker
	}
	policy := lb.ConsistentHash()
	policy.Picker(nodes[:5])
	picker := policy.Picker(nodes)
	for range 7 {
		nodes[0].End()
	}
	seen := make(map[int]int)
	for k := range 1000 {
		i := picker.Pick(lb.WithKey(t.Context(), strconv.Itoa(k)), nil)
		seen[i]++
		nodes[i].Begin()
		nodes[i].End()
	}
	if len(seen) != 10 {
		t.Errorf("want keys at all instances, have %v", seen)
	}
	for range 20 { // which is twice for each
		nodes[picker.Pick(lb.WithKey(t.Context(), "hot"), nil)].Begin()
	}
	for i, n := range nodes {
		if want, have := 3, n.InFlight(); have > want {
			t.Errorf("want %d calls at most at number %d, have %d", want, i, have)
		}
	}
}

// With equal weights, and with such that differ a thousandfold.
func TestKeysAreSpreadByWeight(t *testing.T) {
	t.Parallel()
	for _, weights := range [][]int{ones(50), {1000, 1000, 1000, 1}, {60_000, 30_000}} {
		nodes, _ := newNodes(weights...)
		picker, counts, sum := lb.ConsistentHash().Picker(nodes), make([]float64, len(nodes)), 0.0
		for _, n := range nodes {
			sum += n.Share()
		}
		const keys = 100_000
		for range keys {
			counts[picker.Pick(lb.WithKey(t.Context(), strconv.Itoa(rand.Int())), nil)]++
		}
		for i, n := range nodes {
			if want, have := keys*n.Share()/sum, counts[i]; have > want*1.4+keys*0.02 || have < want*0.6-keys*0.02 {
				t.Errorf("weight %v: want some %.0f keys, have %.0f", n.Share(), want, have)
			}
		}
	}
}

func TestMistakesInConsistentHash(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]lb.HashOption{
		"lb: ConsistentHash: HashBound(1): want more than 1":   lb.HashBound(1),
		"lb: ConsistentHash: HashBound(NaN): want more than 1": lb.HashBound(math.NaN()),
		"lb: ConsistentHash: an option is nil":                 nil,
	} {
		func() {
			defer func() {
				if have, ok := recover().(string); !ok || !strings.HasPrefix(have, want) {
					t.Errorf("want %q, have %v", want, have)
				}
			}()
			lb.ConsistentHash(opt)
		}()
	}
}
