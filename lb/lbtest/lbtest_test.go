package lbtest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/lb/lbtest"
)

func keyed(ctx context.Context, i int) context.Context { return lb.WithKey(ctx, strconv.Itoa(i)) }

func TestThePoliciesOfLBPass(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]lbtest.Harness{
		"RoundRobin":           {New: lb.RoundRobin, Claims: lbtest.Even},
		"Random":               {New: lb.Random, Claims: lbtest.Even},
		"WeightedRoundRobin":   {New: lb.WeightedRoundRobin, Claims: lbtest.Weighted, Tolerance: 0.0005},
		"LeastRequest of two":  {New: func() lb.Policy { return lb.LeastRequest(2) }, Claims: lbtest.Weighted | lbtest.Load},
		"LeastRequest of all":  {New: func() lb.Policy { return lb.LeastRequest(100) }, Claims: lbtest.Weighted | lbtest.Load},
		"PeakEWMA":             {New: lb.PeakEWMA, Claims: lbtest.Weighted | lbtest.Load},
		"ConsistentHash by no": {New: func() lb.Policy { return lb.ConsistentHash() }, Claims: lbtest.Weighted | lbtest.Load},
		"ConsistentHash": {
			New: func() lb.Policy { return lb.ConsistentHash() }, Context: keyed, Tolerance: 0.08,
			Claims: lbtest.Weighted | lbtest.Load | lbtest.Sticky | lbtest.Minimal,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := lbtest.Test(t, h); err != nil {
				t.Error(err)
			}
			lbtest.Run(t, h)
		})
	}
}

// broken is RoundRobin, except where a function is set.
type broken struct {
	picker   func(nodes []*lb.Node) lb.Picker
	measures func() bool
}

func (b broken) Measures() bool { return b.measures != nil && b.measures() }

func (b broken) Picker(nodes []*lb.Node) lb.Picker {
	if b.picker != nil {
		return b.picker(nodes)
	}
	return lb.RoundRobin().Picker(nodes)
}

// pick is a Picker that is a function.
type pick func(ctx context.Context, tried lb.Tried) int

func (p pick) Pick(ctx context.Context, tried lb.Tried) int { return p(ctx, tried) }

// around is a policy whose Pick sees the nodes and a sound Picker of them.
func around(f func(nodes []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int) func() lb.Policy {
	return func() lb.Policy {
		return broken{picker: func(nodes []*lb.Node) lb.Picker {
			sound := lb.RoundRobin().Picker(nodes)
			return pick(func(ctx context.Context, tried lb.Tried) int { return f(nodes, sound, ctx, tried) })
		}}
	}
}

// Each policy breaks one clause of the contract, and the check of that name must notice.
func brokenPolicies() map[string]map[string]lbtest.Harness {
	var flips atomic.Int64
	var sink atomic.Pointer[[]int]
	return map[string]map[string]lbtest.Harness{
		"SingleNode": {
			"number 1 of 1": {New: around(func(nodes []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int {
				if len(nodes) == 1 {
					return 1
				}
				return sound.Pick(ctx, tried)
			})},
			"panics for one": {New: around(func(nodes []*lb.Node, _ lb.Picker, _ context.Context, _ lb.Tried) int {
				return rand.IntN(len(nodes) - 1)
			})},
		},
		"ValidIndex": {"one too many": {New: around(func(nodes []*lb.Node, _ lb.Picker, _ context.Context, _ lb.Tried) int {
			return rand.IntN(len(nodes) + 1)
		})}},
		"AvoidsTried": {"does not care": {New: around(func(_ []*lb.Node, sound lb.Picker, ctx context.Context, _ lb.Tried) int {
			return sound.Pick(ctx, nil)
		})}},
		"AllTried": {"gives up": {New: around(func(nodes []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int {
			if len(nodes) > 1 && len(tried) == len(nodes) {
				return -1
			}
			return sound.Pick(ctx, tried)
		})}},
		"ReachesAll": {"never the last": {New: around(func(nodes []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int {
			return sound.Pick(ctx, append(slices.Clone(tried), nodes[len(nodes)-1]))
		})}},
		"ForgivesFailures": {"never one that has failed": {New: around(func(nodes []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int {
			for range nodes {
				if i := sound.Pick(ctx, tried); nodes[i].Failing() == 0 {
					return i
				}
			}
			return sound.Pick(ctx, tried)
		})}},
		"NoAllocation": {"makes a list": {New: around(func(_ []*lb.Node, sound lb.Picker, ctx context.Context, tried lb.Tried) int {
			sink.Store(&[]int{1})
			return sound.Pick(ctx, tried)
		})}},
		"KeepsSlice": {"sorts it": {New: func() lb.Policy {
			return broken{picker: func(nodes []*lb.Node) lb.Picker {
				slices.SortFunc(nodes, func(a, b *lb.Node) int { return int(a.Share() - b.Share()) })
				return lb.RoundRobin().Picker(nodes)
			}}
		}}},
		"EarlierPicker": {"knows the newest nodes only": {New: func() lb.Policy {
			var newest atomic.Pointer[lb.Picker]
			return broken{picker: func(nodes []*lb.Node) lb.Picker {
				sound := lb.RoundRobin().Picker(nodes)
				newest.Store(&sound)
				return pick(func(ctx context.Context, tried lb.Tried) int { return (*newest.Load()).Pick(ctx, tried) })
			}}
		}}},
		"Measures": {"now and then": {New: func() lb.Policy {
			return broken{measures: func() bool { return flips.Add(1)%2 == 0 }}
		}}},
		"Concurrent": {"for one at a time": {New: func() lb.Policy {
			return broken{picker: func(nodes []*lb.Node) lb.Picker {
				sound := lb.RoundRobin().Picker(nodes)
				var busy atomic.Int32
				return pick(func(ctx context.Context, tried lb.Tried) int {
					defer busy.Add(-1)
					if busy.Add(1) > 1 {
						panic("two at a time")
					}
					runtime.Gosched()
					return sound.Pick(ctx, tried)
				})
			}}
		}}},
		"Even":     {"by weight": {New: lb.WeightedRoundRobin, Claims: lbtest.Even}},
		"Weighted": {"in turn": {New: lb.RoundRobin, Claims: lbtest.Weighted}},
		"Load":     {"at random": {New: lb.Random, Claims: lbtest.Load}},
		"Sticky":   {"at random": {New: lb.Random, Claims: lbtest.Sticky}},
		"Minimal": {"modulo": {Claims: lbtest.Minimal, New: func() lb.Policy {
			return broken{picker: func(nodes []*lb.Node) lb.Picker {
				circle := lb.ConsistentHash().Picker(nodes)
				return pick(func(ctx context.Context, tried lb.Tried) int {
					return (circle.Pick(ctx, tried) + len(nodes)) % 7 % len(nodes)
				})
			}}
		}, Context: keyed}},
	}
}

func TestABrokenPolicyIsRejected(t *testing.T) {
	t.Parallel()
	all := brokenPolicies()
	for _, name := range lbtest.Checks() {
		if len(all[name]) == 0 {
			t.Errorf("there is no policy that check %s rejects", name)
		}
	}
	for check, policies := range all {
		for name, h := range policies {
			t.Run(check+"/"+name, func(t *testing.T) {
				t.Parallel()
				err := lbtest.Test(t, h)
				if !slices.Contains(broke(err), check) {
					t.Errorf("want it to be rejected by %s, have %v", check, err)
				}
			})
		}
	}
}

// broke returns the names of the checks that have failed.
func broke(err error) (names []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range joined.Unwrap() {
		if v, ok := errors.AsType[*lbtest.Violation](e); ok {
			names = append(names, v.Check)
		}
	}
	return names
}

func TestAHarnessNeedsAPolicy(t *testing.T) {
	t.Parallel()
	if err := lbtest.Test(t, lbtest.Harness{}); err == nil {
		t.Error("want an error")
	}
}
