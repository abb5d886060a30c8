package lb_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// feed is an Instancer that yields what it is sent.
type feed chan []sd.Instance

func (f feed) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case set := <-f:
				if !yield(set, nil) {
					return
				}
			}
		}
	}
}

// updated is what is measured: a set comes, and picks see it.
type updated interface {
	update(set []sd.Instance)
	sees(id string) (n int, has bool)
	pick()
	close()
}

type pooled struct {
	feed feed
	pool *lb.Pool[string]
}

func newPooled(b *testing.B, opts ...lb.PoolOption) pooled {
	b.Helper()
	f := make(feed)
	pool, err := lb.New("b", f, dialNothing, opts...)
	if err != nil {
		b.Fatal(err)
	}
	return pooled{f, pool}
}

func (p pooled) update(set []sd.Instance)         { p.feed <- set }
func (p pooled) sees(id string) (n int, has bool) { return p.pool.Picks(id) }
func (p pooled) close()                           { _ = p.pool.Close() }

func (p pooled) pick() {
	if _, done, err := p.pool.Pick(context.Background()); err == nil {
		done(nil)
	}
}

// naive is the baseline: a map of connections and a list, made anew under the lock that picks take.
type naive struct {
	mu      sync.Mutex
	clients map[string]string
	list    []string
}

func (n *naive) update(set []sd.Instance) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clients := make(map[string]string, len(set))
	list := make([]string, 0, len(set))
	for _, i := range set {
		client, ok := n.clients[i.ID]
		if !ok {
			client = i.Address
		}
		clients[i.ID] = client
		list = append(list, client)
	}
	n.clients, n.list = clients, list
}

func (n *naive) sees(id string) (count int, has bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, has = n.clients[id]
	return len(n.list), has
}

func (n *naive) close() {}

func (n *naive) pick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) > 0 {
		_ = n.list[rand.IntN(len(n.list))]
	}
}

// BenchmarkUpdate measures how long it takes until picks see a set of 10,000 of which one is another, and the longest pick meanwhile, of
// a caller that picks all the time. Of both it reports the median and the least: on a machine that has other work the longest of all is
// the scheduler's.
func BenchmarkUpdate(b *testing.B) {
	const n = 10_000
	for _, c := range []struct {
		name string
		make func(b *testing.B) updated
	}{
		{"baseline", func(*testing.B) updated { return new(naive) }},
		{"PeakEWMA", func(b *testing.B) updated { return newPooled(b) }},
		{"RoundRobin", func(b *testing.B) updated { return newPooled(b, lb.PoolPolicy(lb.RoundRobin())) }},
		{"ConsistentHash", func(b *testing.B) updated { return newPooled(b, lb.PoolPolicy(lb.ConsistentHash())) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			u := c.make(b)
			defer u.close()
			set := instances(n)
			go u.update(set)
			waitFor(u, n, set[n-1].ID)
			var took, slowest []float64
			for b.Loop() {
				i := rand.IntN(n)
				next := slices.Clone(set)
				next[i] = sd.Instance{ID: fmt.Sprintf("%08d-%d", i, rand.Int()), Address: "10.1.0.0:80"}
				began := time.Now()
				go u.update(next)
				longest := waitFor(u, n, next[i].ID)
				took, slowest = append(took, float64(time.Since(began))), append(slowest, float64(longest))
				set = next
				<-time.After(20 * time.Millisecond) // a pool spends at most a tenth of its time on this
			}
			b.ReportMetric(median(took)/1e3, "µs-until-seen")
			b.ReportMetric(slices.Min(took)/1e3, "µs-until-seen-least")
			b.ReportMetric(median(slowest)/1e3, "µs-longest-pick")
			b.ReportMetric(slices.Min(slowest)/1e3, "µs-longest-pick-least")
		})
	}
}

// BenchmarkFirstSet measures how long it takes until all instances of a first set of 10,000 can be picked, with dials that take no time.
// The baseline is as many goroutines, 100 at a time, that do nothing but such a dial with a timeout.
func BenchmarkFirstSet(b *testing.B) {
	const n = 10_000
	set := instances(n)
	b.Run("baseline", func(b *testing.B) {
		var took []float64
		for b.Loop() {
			began := time.Now()
			var dials sync.WaitGroup
			room := make(chan struct{}, 100)
			for _, i := range set {
				room <- struct{}{}
				dials.Go(func() {
					ctx, cancel := context.WithTimeout(b.Context(), lb.DefaultDialTimeout)
					defer cancel()
					_, _ = dialNothing(ctx, i)
					<-room
				})
			}
			dials.Wait()
			took = append(took, float64(time.Since(began)))
		}
		b.ReportMetric(median(took)/1e6, "ms-until-seen")
		b.ReportMetric(slices.Min(took)/1e6, "ms-until-seen-least")
	})
	b.Run("PeakEWMA", func(b *testing.B) {
		var took []float64
		for b.Loop() {
			u := newPooled(b)
			began := time.Now()
			u.update(set)
			for have := 0; have < n; have, _ = u.sees("") {
				<-time.After(100 * time.Microsecond)
			}
			took = append(took, float64(time.Since(began)))
			u.close()
		}
		b.ReportMetric(median(took)/1e6, "ms-until-seen")
		b.ReportMetric(slices.Min(took)/1e6, "ms-until-seen-least")
	})
}

func dialNothing(_ context.Context, i sd.Instance) (string, error) { return i.Address, nil }

// waitFor picks until picks see the instance and n in all, and returns how long the longest pick took.
func waitFor(u updated, n int, id string) (longest time.Duration) {
	for {
		for range 10 {
			began := time.Now()
			u.pick()
			longest = max(longest, time.Since(began))
		}
		if have, has := u.sees(id); has && have == n {
			return longest
		}
		runtime.Gosched()
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
