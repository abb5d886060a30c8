package lb

import "math/bits"

// shares divides the numbers from 0 to 2^64 among nodes in proportion to their weights, in their order. A number is looked up by a guide
// table, in a time that on the average does not depend on how many there are: Chen and Asau, "On Generating Random Variates from an
// Empirical Distribution" (AIIE Transactions 6, 1974).
type shares struct {
	ends  []uint64 // by node, the first number that is not its own; the last is never looked at
	guide []int32  // by equal parts of the numbers, the node that has the first of them
}

func newShares(nodes []*Node) *shares {
	s := &shares{ends: make([]uint64, len(nodes)), guide: make([]int32, len(nodes))}
	var sum uint64
	for i, n := range nodes {
		sum += uint64(n.Share())
		s.ends[i] = sum
	}
	for i, below := range s.ends {
		if below < sum {
			s.ends[i], _ = bits.Div64(below, 0, sum)
		}
	}
	node := 0
	for k := range s.guide {
		first, _ := bits.Div64(uint64(k), 0, uint64(len(nodes)))
		for node < len(nodes)-1 && s.ends[node] <= first {
			node++
		}
		s.guide[k] = int32(node)
	}
	return s
}

// at returns whose number x is.
func (s *shares) at(x uint64) int {
	k, _ := bits.Mul64(x, uint64(len(s.guide)))
	low, high := int(s.guide[k]), len(s.ends)-1
	if int(k)+1 < len(s.guide) {
		high = int(s.guide[k+1])
	}
	for low < high { // mostly not at all, or once
		if mid := (low + high) / 2; s.ends[mid] <= x {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}
