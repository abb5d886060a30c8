package sd_test

import (
	"context"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
)

// BenchmarkCache measures the time from a change of one of 1,000 instances until each of 1,000 consumers has the new set.
func BenchmarkCache(b *testing.B) {
	const consumers = 1000
	s := newSource()
	c := sd.NewCache(s)
	ctx, cancel := context.WithCancel(b.Context())
	var all, got sync.WaitGroup
	got.Add(consumers)
	for range consumers {
		all.Go(func() {
			for range c.Watch(ctx) {
				got.Done()
			}
		})
	}
	one, other := sd.Normalize(many(1000)), sd.Normalize(many(1000))
	other[999].Weight++
	s.turns <- turn{set: one}
	got.Wait()
	b.ReportAllocs()
	for b.Loop() {
		one, other = other, one
		got.Add(consumers)
		s.turns <- turn{set: one}
		got.Wait()
	}
	b.StopTimer()
	cancel()
	all.Wait()
	_ = c.Close()
}
