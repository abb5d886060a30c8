// Package lb_test measures what choosing an instance for a call costs: ashlar is a Pool with its default policy, p2c Kratos's selector by
// the power of two choices and a moving average, and wrr the weighted round robin that Kratos's clients have by default. A call is picked
// and done, and takes no time.
package lb_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-kratos/kratos/v2/registry"
	"github.com/go-kratos/kratos/v2/selector"
	"github.com/go-kratos/kratos/v2/selector/p2c"
	"github.com/go-kratos/kratos/v2/selector/wrr"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// call picks an instance and says that the call has ended well.
type call func(ctx context.Context) error

func sizes() []int { return []int{3, 100, 10_000} }

func BenchmarkPick(b *testing.B) {
	for _, n := range sizes() {
		ashlar, kratos, weighted := newAshlar(b, n), newKratos(p2c.New(), n), newKratos(wrr.New(), n)
		for name, c := range map[string]call{"ashlar": ashlar, "p2c": kratos, "wrr": weighted} {
			b.Run(fmt.Sprintf("instances=%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := c(b.Context()); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
		b.Run(fmt.Sprintf("instances=%d/ratio", n), func(b *testing.B) { ratio(b, ashlar, kratos) })
	}
}

// ratio reports the median over short turns of both, one after the other, so that a busy machine slows both alike.
func ratio(b *testing.B, ashlar, kratos call) {
	b.Helper()
	const turn = 1000
	var ratios []float64
	for b.Loop() {
		a := timed(b, ashlar, turn)
		k := timed(b, kratos, turn)
		ratios = append(ratios, float64(k)/float64(a))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "p2c/ashlar")
	b.ReportMetric(0, "ns/op")
}

func timed(b *testing.B, c call, count int) time.Duration {
	b.Helper()
	began := time.Now()
	for range count {
		if err := c(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func address(i int) string { return fmt.Sprintf("10.0.%d.%d:80", i/256, i%256) }

func newAshlar(t testing.TB, n int) call {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = address(i)
	}
	static, err := sd.NewStaticAddresses(addresses...)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := lb.New("bench", static, func(_ context.Context, i sd.Instance) (string, error) { return i.Address, nil }, lb.PoolWaitReady())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	for seen := make(map[string]bool); len(seen) < n; { // all of them
		client, done, err := pool.Pick(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done(nil)
		seen[client] = true
	}
	return func(ctx context.Context) error {
		_, done, err := pool.Pick(ctx)
		if err == nil {
			done(nil)
		}
		return err
	}
}

func newKratos(s selector.Selector, n int) call {
	nodes := make([]selector.Node, n)
	for i := range nodes {
		nodes[i] = selector.NewNode("http", address(i), &registry.ServiceInstance{ID: address(i), Name: "bench"})
	}
	s.Apply(nodes)
	return func(ctx context.Context) error {
		_, done, err := s.Select(ctx)
		if err == nil {
			done(ctx, selector.DoneInfo{})
		}
		return err
	}
}

// Both work: this is no measurement.
func TestSmoke(t *testing.T) {
	t.Parallel()
	for _, n := range sizes() {
		for name, c := range map[string]call{"ashlar": newAshlar(t, n), "p2c": newKratos(p2c.New(), n), "wrr": newKratos(wrr.New(), n)} {
			for range 100 {
				if err := c(t.Context()); err != nil {
					t.Fatalf("%s, %d instances: %v", name, n, err)
				}
			}
		}
	}
}
