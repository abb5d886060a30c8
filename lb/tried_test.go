package lb_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// An instance that was lost while a call was at it has another node when the call is tried again.
func TestAnInstanceWasTriedWhenANodeOfItWas(t *testing.T) {
	t.Parallel()
	clock := lb.NewClock()
	node := func(id string) *lb.Node { return lb.NewNode(sd.Instance{ID: id, Address: id}, clock) }
	tried := lb.Tried{node("a"), node("b")}
	for _, row := range []struct {
		node *lb.Node
		want bool
	}{{tried[0], true}, {node("b"), true}, {node("c"), false}} {
		if have := tried.Has(row.node); row.want != have {
			t.Errorf("%s: want %t, have %t", row.node.ID(), row.want, have)
		}
	}
}
