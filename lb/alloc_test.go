package lb_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

func TestPickDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes a sync.Pool forget")
	}
	for name, opts := range map[string][]lb.PoolOption{
		"PeakEWMA":           {lb.PoolPolicy(lb.PeakEWMA())},
		"RoundRobin":         {lb.PoolPolicy(lb.RoundRobin())},
		"Random":             {lb.PoolPolicy(lb.Random())},
		"WeightedRoundRobin": {lb.PoolPolicy(lb.WeightedRoundRobin())},
		"LeastRequest":       {lb.PoolPolicy(lb.LeastRequest(2))},
		"ConsistentHash":     {lb.PoolPolicy(lb.ConsistentHash())},
		"a zone":             {lb.PoolZone("a", 1)},
		"a slow start":       {lb.PoolSlowStart(1 << 40)},
	} {
		static, err := sd.NewStatic(zoned(map[string]int{"a": 3, "b": 3})...)
		if err != nil {
			t.Fatal(err)
		}
		p, err := lb.New("quarry", static, func(_ context.Context, i sd.Instance) (string, error) { return i.ID, nil }, append(opts, lb.PoolWaitReady())...)
		if err != nil {
			t.Fatal(err)
		}
		ctx := lb.WithKey(t.Context(), "key")
		for _, end := range []error{nil, context.Canceled} {
			call := func() {
				_, done, err := p.Pick(ctx)
				if err != nil {
					t.Fatal(err)
				}
				done(end)
			}
			call()
			if want, have := 0.0, testing.AllocsPerRun(2000, call); want != have {
				t.Errorf("%s, a call that ends with %v: want %v allocations, have %v", name, end, want, have)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
