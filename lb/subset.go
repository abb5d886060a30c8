package lb

import (
	"cmp"
	"slices"

	"github.com/ashlar-go/ashlar/sd"
)

// subset is a part of the instances that is the same for a caller as long as they are, by rendezvous hashing: Thaler and
// Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (IEEE/ACM ToN 1998); grpc's proposal A68 uses it so.
type subset struct {
	size   int
	caller string
}

// choose returns those of the set, which is sorted by ID, that belong to the subset, sorted likewise.
func (s subset) choose(set []sd.Instance) []sd.Instance {
	if s.size == 0 || len(set) <= s.size {
		return set
	}
	type ranked struct {
		rank  uint64
		index int
	}
	all := make([]ranked, len(set))
	for i := range set {
		all[i] = ranked{hash(s.caller, set[i].ID), i}
	}
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	all = all[:s.size]
	slices.SortFunc(all, func(a, b ranked) int { return cmp.Compare(a.index, b.index) })
	chosen := make([]sd.Instance, s.size)
	for i, r := range all {
		chosen[i] = set[r.index]
	}
	return chosen
}
