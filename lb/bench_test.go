package lb_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// measured are the policies that are measured, with the largest weight of an instance.
func measured() []measuredPolicy {
	return []measuredPolicy{
		{"RoundRobin", lb.RoundRobin(), 1},
		{"Random", lb.Random(), 1},
		{"WeightedRoundRobin", lb.WeightedRoundRobin(), 10},
		{"LeastRequest", lb.LeastRequest(2), 1},
		{"PeakEWMA", lb.PeakEWMA(), 1},
		{"PeakEWMAWeighted", lb.PeakEWMA(), 10},
		{"ConsistentHash", lb.ConsistentHash(), 1},
	}
}

type measuredPolicy struct {
	name   string
	policy lb.Policy
	weight int
}

func (m measuredPolicy) instances(n int) []sd.Instance {
	set := instances(n)
	for i := range set {
		set[i].Weight = 1 + i%m.weight
	}
	return set
}

func (m measuredPolicy) nodes(n int) []*lb.Node {
	clock := lb.NewClock()
	nodes := make([]*lb.Node, n)
	for i, instance := range m.instances(n) {
		nodes[i] = lb.NewNode(instance, clock)
	}
	return nodes
}

// BenchmarkPicker measures how long it takes to make a Picker, which every change of the set costs.
func BenchmarkPicker(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		for _, p := range measured() {
			b.Run(fmt.Sprintf("instances=%d/%s", n, p.name), func(b *testing.B) {
				nodes := p.nodes(n)
				b.ReportAllocs()
				for b.Loop() {
					p.policy.Picker(nodes)
				}
			})
		}
	}
}

// BenchmarkPick measures a pick by the policy alone, and a whole call of a pool, which is picked and done. Run it with -cpu 1,2.
func BenchmarkPick(b *testing.B) {
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
		for _, p := range measured() {
			b.Run(fmt.Sprintf("instances=%d/%s/alone", n, p.name), func(b *testing.B) {
				picker := p.policy.Picker(p.nodes(n))
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
				pool := readyPool(b, p.instances(n), lb.PoolPolicy(p.policy))
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
