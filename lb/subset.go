package lb

import (
	"cmp"
	"hash/fnv"
	"io"
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

// hash returns a number for two texts that is the same in every process.
func hash(a, b string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, a)
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, b)
	return mix(h.Sum64())
}

// mix spreads the bits of a hash: the finalizer of MurmurHash3, since FNV's highest bits hardly depend on the last letters.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
