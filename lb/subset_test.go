package lb_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// chosen returns which of the set are those of the caller.
func chosen(y *yard, set []sd.Instance) map[string]bool {
	y.t.Helper()
	y.set(set...)
	ids := make(map[string]bool)
	for _, s := range y.pool.Instances() {
		if s.State == lb.Ready {
			ids[s.Instance.ID] = true
		}
	}
	return ids
}

func TestASubsetIsTheSameForACallerAndMovesLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size, n = 10, 100
		y := openYard(t, nil, lb.PoolSubset(size, "host-1"))
		again := openYard(t, nil, lb.PoolSubset(size, "host-1"))
		other := openYard(t, nil, lb.PoolSubset(size, "host-2"))
		set := instances(n)
		first := chosen(y, set)
		if want, have := size, len(first); want != have {
			t.Fatalf("want %d instances, have %d", want, have)
		}
		same := 0
		theirs := chosen(other, set)
		for id := range chosen(again, set) {
			if !first[id] {
				t.Errorf("%s is not in the subset of another pool of the same caller", id)
			}
			if theirs[id] {
				same++
			}
		}
		if same > size/2 {
			t.Errorf("want another caller to have others, %d of %d are the same", same, size)
		}
		for gone := range n { // of the others none moves
			rest := append(append([]sd.Instance{}, set[:gone]...), set[gone+1:]...)
			have := chosen(y, rest)
			for id := range first {
				if id != set[gone].ID && !have[id] {
					t.Errorf("when %s left, so did %s", set[gone].ID, id)
				}
			}
			if len(have) != size {
				t.Errorf("want %d instances, have %d", size, len(have))
			}
		}
		if have := len(chosen(y, set[:5])); have != 5 {
			t.Errorf("want all of five, have %d", have)
		}
	})
}

func TestSubsetsLoadAllInstancesAlike(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers, n, size = 300, 30, 5
		counts := make(map[string]int)
		for c := range callers {
			y := openYard(t, nil, lb.PoolSubset(size, fmt.Sprintf("caller-%d", c)))
			for id := range chosen(y, instances(n)) {
				counts[id]++
			}
		}
		for _, i := range instances(n) {
			if want, have := callers*size/n, counts[i.ID]; have < want/2 || have > want*3/2 {
				t.Errorf("want some %d callers of %s, have %d", want, i.ID, have)
			}
		}
	})
}
