package lb_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
)

// held is RoundRobin, whose picks hold when they have chosen for as long as a function takes.
type held struct{ hold func() }

func (held) Measures() bool { return false }

func (h held) Picker(nodes []*lb.Node) lb.Picker { return heldPicker{h, lb.RoundRobin().Picker(nodes)} }

type heldPicker struct {
	held

	picker lb.Picker
}

func (p heldPicker) Pick(ctx context.Context, tried lb.Tried) int {
	i := p.picker.Pick(ctx, tried)
	p.hold()
	return i
}

// A caller that has chosen an instance while this departed chooses another, and does not keep the client from being closed.
func TestAnInstanceThatDepartsWhileItIsChosen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var y *yard
		sets := [][]string{{"b"}, {"c"}, {"c", "d"}}
		y = openYard(t, nil, lb.PoolPolicy(held{func() {
			if len(sets) > 0 {
				next := sets[0]
				sets = sets[1:]
				y.names(next...)
			}
		}}))
		y.names("a")
		s, done := y.begin()
		if want, have := "c", s.instance.ID; want != have {
			t.Errorf("want the call at %s, have it at %s", want, have)
		}
		y.wantStates("c ready", "d ready")
		done(nil)
		for _, id := range []string{"a", "b"} {
			if have := y.made(id); len(have) != 1 || have[0].closed.Load() != 1 {
				t.Errorf("want the client of %s closed once", id)
			}
		}
		y.names("d")
		y.wantStates("d ready")
	})
}
