package lbtest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
)

// site is a pool, the nodes of which the policy under test gets, and whose calls go where they are sent.
type site struct {
	t        *testing.T
	pool     *lb.Pool[sd.Instance]
	nodes    []*lb.Node
	contexts []context.Context // by node, that of a call that goes there
}

// open returns a site with n instances, the i-th of which has the weight. It is closed with the test, which has to be a bubble.
func open(t *testing.T, h *Harness, n int, weight func(i int) int) *site {
	t.Helper()
	set := make([]sd.Instance, n)
	s := &site{t: t, contexts: make([]context.Context, n)}
	for i := range set {
		set[i] = sd.Instance{ID: fmt.Sprintf("%04d", i), Address: fmt.Sprintf("10.0.%d.%d:80", i/256, i%256), Weight: weight(i)}
		s.contexts[i] = context.WithValue(t.Context(), destination{}, i)
	}
	static, err := sd.NewStatic(set...)
	if err != nil {
		t.Fatal(err)
	}
	to := &sent{measures: h.New().Measures(), want: n, all: make(chan []*lb.Node, 1)}
	dial := func(_ context.Context, i sd.Instance) (sd.Instance, error) { return i, nil }
	s.pool, err = lb.New("lbtest", static, dial, lb.PoolPolicy(to), lb.PoolEjectAfter(0), lb.PoolEjectRate(0), lb.PoolDrain(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.pool.Close() })
	s.nodes = <-to.all
	synctest.Wait() // until they can be picked
	return s
}

// nodes returns those of a site that has no calls.
func (h *Harness) nodes(t *testing.T, n int, weight func(i int) int) []*lb.Node {
	t.Helper()
	return open(t, h, n, weight).nodes
}

func equal(int) int    { return 1 }
func rising(i int) int { return i + 1 }
func uneven(i int) int { return []int{1, 1, 7, 65_535, 100}[i%5] }

var errFailed = status.New(status.Unavailable, "it fails")

// begin begins a call of a node.
func (s *site) begin(i int) (end func(error)) {
	_, end, err := s.pool.Pick(s.contexts[i])
	if err != nil {
		s.t.Error(err)
		return func(error) {}
	}
	return end
}

// call makes a call of a node that takes a millisecond and succeeds.
func (s *site) call(i int) {
	end := s.begin(i)
	<-time.After(time.Millisecond)
	end(nil)
}

// sent is the policy of a site.
type sent struct {
	measures bool
	want     int
	all      chan []*lb.Node // gets the nodes when they are as many as it wants
}

type destination struct{}

func (s *sent) Measures() bool { return s.measures }

func (s *sent) Picker(nodes []*lb.Node) lb.Picker {
	if len(nodes) == s.want {
		select {
		case s.all <- nodes:
		default: // it has them
		}
	}
	return s
}

// Pick returns the number that is in the context.
func (*sent) Pick(ctx context.Context, _ lb.Tried) int {
	i, _ := ctx.Value(destination{}).(int)
	return i
}
