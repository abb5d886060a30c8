package lb_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// rope is a client that knows whether it is used after it was closed.
type rope struct {
	closed atomic.Int32
	misuse *atomic.Int64
}

func (r *rope) use() {
	if r.closed.Load() > 0 {
		r.misuse.Add(1)
	}
}

func (r *rope) Close() error {
	if r.closed.Add(1) > 1 {
		r.misuse.Add(1)
	}
	return nil
}

// restless yields another set each time, and now and then an error, so many times.
type restless struct {
	sets int
	over chan struct{}
}

func (r *restless) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		for n := range r.sets {
			var set []sd.Instance
			for i := range 40 {
				if rand.IntN(3) > 0 {
					id := strconv.Itoa(i)
					set = append(set, sd.Instance{ID: id, Address: id + ":" + strconv.Itoa(rand.IntN(2)), Weight: rand.IntN(5), Zone: strconv.Itoa(i % 2)})
				}
			}
			set, err := sd.Normalize(set), error(nil)
			if n%10 == 9 {
				set, err = nil, errHung
			}
			if !yield(set, err) || ctx.Err() != nil {
				return
			}
			runtime.Gosched()
		}
		close(r.over)
		<-ctx.Done()
	}
}

// Sets change, instances fail, dials fail, callers call: nobody uses a client that was closed, and each is closed once.
func TestNobodyUsesAClientThatIsClosed(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]lb.PoolOption{
		"PeakEWMA":           nil,
		"RoundRobin":         {lb.PoolPolicy(lb.RoundRobin()), lb.PoolZone("1", 3)},
		"WeightedRoundRobin": {lb.PoolPolicy(lb.WeightedRoundRobin()), lb.PoolSlowStart(time.Millisecond)},
		"LeastRequest":       {lb.PoolPolicy(lb.LeastRequest(3)), lb.PoolSubset(10, "me")},
		"ConsistentHash":     {lb.PoolPolicy(lb.ConsistentHash()), lb.PoolZone("0", 1), lb.PoolSlowStart(10 * time.Millisecond), lb.PoolWaitReady()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				misuse, made, closedEvents atomic.Int64
				mu                         sync.Mutex
				ropes                      []*rope
			)
			registry := &restless{sets: 1500, over: make(chan struct{})}
			dial := func(context.Context, sd.Instance) (*rope, error) {
				if rand.IntN(10) == 0 {
					return nil, errHung
				}
				r := &rope{misuse: &misuse}
				mu.Lock()
				defer mu.Unlock()
				ropes = append(ropes, r)
				made.Add(1)
				return r, nil
			}
			p, err := lb.New("quarry", registry, dial, append(opts, lb.PoolEjectTime(time.Millisecond, 5*time.Millisecond), lb.PoolEvents(func(e lb.Event) {
				if e.Kind == lb.Closed {
					closedEvents.Add(1)
				}
			}))...)
			if err != nil {
				t.Fatal(err)
			}
			var callers sync.WaitGroup
			for c := range 4 {
				callers.Go(func() { pull(t, p, c, registry.over) })
			}
			callers.Wait()
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if n := misuse.Load(); n > 0 {
				t.Errorf("%d times a client was used that was closed, or closed twice", n)
			}
			for i, r := range ropes {
				if r.closed.Load() != 1 {
					t.Errorf("client %d of %d was closed %d times", i, len(ropes), r.closed.Load())
				}
			}
			if want, have := made.Load(), closedEvents.Load(); want != have {
				t.Errorf("want %d events, one for each client, have %d", want, have)
			}
		})
	}
}

// pull makes calls until all is over.
func pull(t *testing.T, p *lb.Pool[*rope], c int, over <-chan struct{}) {
	t.Helper()
	ctx := lb.WithKey(t.Context(), strconv.Itoa(c))
	for n := 0; ; n++ {
		select {
		case <-over:
			return
		default:
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		r, done, err := p.Pick(short)
		cancel()
		if err != nil {
			continue
		}
		r.use()
		if n%3 == 0 {
			runtime.Gosched()
		}
		r.use()
		switch rand.IntN(4) {
		case 0:
			done(errBroken)
		case 1:
			done(errors.Join(context.Canceled))
		default:
			done(nil)
		}
		if n%100 == 0 {
			for _, s := range p.Instances() {
				if s.InFlight < 0 || s.InFlight > 4 {
					t.Errorf("%v has %d calls in flight", s.Instance, s.InFlight)
				}
			}
		}
	}
}
