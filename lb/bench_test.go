package lb_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

func BenchmarkPick(b *testing.B) {
	policies := []struct {
		name   string
		policy lb.Policy
		weight int // the largest
	}{
		{"RoundRobin", lb.RoundRobin(), 1},
		{"Random", lb.Random(), 1},
		{"WeightedRoundRobin", lb.WeightedRoundRobin(), 10},
		{"LeastRequest", lb.LeastRequest(2), 1},
		{"PeakEWMA", lb.PeakEWMA(), 1},
		{"PeakEWMAWeighted", lb.PeakEWMA(), 10},
		{"ConsistentHash", lb.ConsistentHash(), 1},
	}
	for _, n := range []int{3, 100, 10_000} {
		set := instances(n)
		b.Run(fmt.Sprintf("instances=%d/baseline", n), func(b *testing.B) {
			var next atomic.Uint64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = set[next.Add(1)%uint64(n)].Address
				}
			})
		})
		for _, p := range policies {
			set := instances(n)
			for i := range set {
				set[i].Weight = 1 + i%p.weight
			}
			b.Run(fmt.Sprintf("instances=%d/%s/alone", n, p.name), func(b *testing.B) {
				clock := lb.NewClock()
				nodes := make([]*lb.Node, n)
				for i := range nodes {
					nodes[i] = lb.NewNode(set[i], clock)
				}
				picker := p.policy.Picker(nodes)
				ctx := lb.WithKey(b.Context(), "key")
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						picker.Pick(ctx, nil)
					}
				})
			})
			b.Run(fmt.Sprintf("instances=%d/%s/pool", n, p.name), func(b *testing.B) {
				pool := readyPool(b, set, lb.PoolPolicy(p.policy))
				ctx := lb.WithKey(b.Context(), "key")
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						_, done, err := pool.Pick(ctx)
						if err != nil {
							b.Error(err)
							return
						}
						done(nil)
					}
				})
			})
		}
	}
}

func instances(n int) []sd.Instance {
	set := make([]sd.Instance, n)
	for i := range set {
		set[i] = sd.Instance{ID: fmt.Sprintf("%08d", i), Address: fmt.Sprintf("10.0.%d.%d:80", i/256, i%256)}
	}
	return set
}

func readyPool(b *testing.B, set []sd.Instance, opts ...lb.PoolOption) *lb.Pool[string] {
	b.Helper()
	static, err := sd.NewStatic(set...)
	if err != nil {
		b.Fatal(err)
	}
	var connected atomic.Int64
	all := make(chan struct{})
	opts = append(opts, lb.PoolEvents(func(e lb.Event) {
		if e.Kind == lb.Connected && connected.Add(1) == int64(len(set)) {
			close(all)
		}
	}))
	pool, err := lb.New("b", static, func(_ context.Context, i sd.Instance) (string, error) { return i.Address, nil }, opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pool.Close() })
	<-all
	settle(b, pool)
	return pool
}

// settle waits until the last snapshot is there.
func settle(b *testing.B, pool *lb.Pool[string]) {
	b.Helper()
	seen := make(map[string]bool)
	want := len(pool.Instances())
	for len(seen) < want {
		client, done, err := pool.Pick(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		done(nil)
		seen[client] = true
	}
}
