package lb_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
)

func TestAnAgendaKeepsTheOrderAndForgetsWhatIsOff(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 63, 64, 65, 200, 1000} {
		have := lb.Due(rand.Perm(n))
		if !slices.IsSorted(have) {
			t.Errorf("%d: want them in order, have %v", n, have)
		}
		even := slices.DeleteFunc(slices.Clone(have), func(i int) bool { return i%2 == 1 })
		if want := (n + 1) / 2; len(even) != want {
			t.Errorf("%d: want all %d that are not off, have %d", n, want, len(even))
		}
		if odd := len(have) - len(even); odd > max(64, len(even)+1) {
			t.Errorf("%d: want those that are off to be no more than the others, have %d", n, odd)
		}
	}
}
