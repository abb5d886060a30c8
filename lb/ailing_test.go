package lb_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
)

// unreliable makes a share of the calls at each instance fail at random: of those named theirs, and of the others rest.
func unreliable(theirs map[string]float64, rest float64) func(id string) error {
	random := rand.New(rand.NewPCG(1, 2))
	return func(id string) error {
		share, ok := theirs[id]
		if !ok {
			share = rest
		}
		if random.Float64() < share {
			return errBroken
		}
		return nil
	}
}

// To take instances out of an overload leaves more of it for the others. So it is for one that is worse than they.
func TestOnlyThoseThatAreWorseThanOthersAreEjected(t *testing.T) {
	t.Parallel()
	dead := map[string]float64{"a": 1}
	for name, row := range map[string]struct {
		instances int
		theirs    map[string]float64
		rest      float64
		worse     []string // are to be ejected, and no others
		most      int      // how many of them may be out
	}{
		"all fail at half":               {4, nil, 0.5, nil, 0},
		"all fail at most":               {4, nil, 0.9, nil, 0},
		"all fail whole":                 {4, nil, 1, nil, 0},
		"two fail at half":               {2, nil, 0.5, nil, 0},
		"two fail whole":                 {2, nil, 1, nil, 0},
		"many fail at half":              {26, nil, 0.5, nil, 0},
		"one of many fails whole":        {26, dead, 0, []string{"a"}, 1},
		"one of two fails whole":         {2, dead, 0, []string{"a"}, 1},
		"and the other at times":         {2, dead, 0.2, []string{"a"}, 1},
		"one fails whole, others some":   {4, dead, 0.2, []string{"a"}, 1},
		"half of them fail whole":        {4, map[string]float64{"a": 1, "b": 1}, 0, []string{"a", "b"}, 2},
		"more than may be out, all dead": {10, map[string]float64{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}, 0, []string{"a", "b", "c", "d", "e", "f"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, lb.PoolEjectRate(0))
				names := make([]string, row.instances)
				for i := range names {
					names[i] = string(rune('a' + i))
				}
				y.names(names...)
				y.calls(50*row.instances, nil)
				answer, most := unreliable(row.theirs, row.rest), 0
				for round := range 600 { // a minute
					if round == 40 { // at first little is known of the others, and one may be out for 2 s
						y.told()
						most = 0
					}
					y.calls(10*row.instances, answer)
					synctest.Wait()
					out := slices.DeleteFunc(y.states(), func(s string) bool { return !strings.HasSuffix(s, " out") })
					most = max(most, len(out))
					<-time.After(100 * time.Millisecond)
				}
				if most != row.most {
					t.Errorf("want %d out, have %d", row.most, most)
				}
				for _, told := range y.told() {
					if id, ok := strings.CutPrefix(told, "ejected "); ok && !slices.Contains(row.worse, id) {
						t.Fatalf("want %v ejected, and no others, have %s", row.worse, id)
					}
				}
			})
		})
	}
}

// What is judged is how it is, and not how it was: one that fails when an overload is over is taken out soon.
func TestAfterAnOverloadInstancesAreEjectedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b", "c", "d")
		rounds := func(n int, answer func(string) error) {
			for range n {
				y.calls(40, answer)
				synctest.Wait()
				<-time.After(100 * time.Millisecond)
			}
		}
		rounds(100, unreliable(nil, 0.6))
		rounds(30, nil)
		y.told()
		rounds(10, failingAt("c"))
		y.wantStates("a ready", "b ready", "c out", "d ready")
	})
}
