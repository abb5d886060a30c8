package loadshed_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/transport"
)

// model is a service in virtual time: so many calls are worked on at a time, the others wait for that in the order in which they came,
// and nobody looks whether a caller is still there.
type model struct {
	workers chan struct{}
	time    func(r *rand.Rand) time.Duration // of the work on a call
	apart   time.Duration                    // that a call takes besides, waiting for something that is not scarce
	mu      sync.Mutex
	random  *rand.Rand
	spare   int // workers that are away
}

func exponential(mean time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
}

func constant(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

// heavy is log-normal with a coefficient of variation of 2.
func heavy(mean time.Duration) func(*rand.Rand) time.Duration {
	sigma := math.Sqrt(math.Log(5))
	return func(r *rand.Rand) time.Duration {
		return time.Duration(float64(mean) * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2))
	}
}

func newModel(workers int, work func(*rand.Rand) time.Duration) *model {
	return &model{workers: make(chan struct{}, workers), time: work, random: rand.New(rand.NewPCG(1, 2))}
}

func (m *model) serve() {
	m.mu.Lock()
	work := m.time(m.random)
	m.mu.Unlock()
	if m.apart > 0 {
		time.Sleep(m.apart)
	}
	m.workers <- struct{}{}
	time.Sleep(work)
	<-m.workers
}

// result is what clients have seen.
type result struct {
	good    int
	refused int
	timeout int
	took    []time.Duration // of the good
}

func (r *result) p99() time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	slices.Sort(r.took)
	return r.took[len(r.took)*99/100]
}

// load is callers in virtual time, who give up after patience.
type load struct {
	rate     float64 // calls a second
	patience time.Duration
	priority transport.Priority
}

// run makes calls for a time, and counts those that begin after warm.
func run(t testing.TB, m *model, s *loadshed.Shedder, l load, warm, span time.Duration) *result {
	t.Helper()
	var (
		mu     sync.Mutex
		out    result
		calls  sync.WaitGroup
		random = rand.New(rand.NewPCG(3, uint64(l.rate)))
		inside atomic.Int64
	)
	start := time.Now()
	for time.Since(start) < warm+span {
		time.Sleep(time.Duration(random.ExpFloat64() / l.rate * float64(time.Second)))
		counted := time.Since(start) >= warm
		calls.Go(func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(transport.WithPriority(context.Background(), l.priority), l.patience)
			defer cancel()
			refused := false
			inside.Add(1)
			if s == nil {
				m.serve()
			} else if done, err := s.Acquire(ctx); err != nil {
				refused = true
			} else {
				m.serve()
				done(ctx.Err())
			}
			took := time.Since(began)
			if !counted {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case refused:
				out.refused++
			case took > l.patience:
				out.timeout++
			default:
				out.good++
				out.took = append(out.took, took)
			}
		})
	}
	calls.Wait()
	return &out
}

func TestSim(t *testing.T) {
	for _, row := range []struct {
		name    string
		workers int
		work    func(time.Duration) func(*rand.Rand) time.Duration
		mean    time.Duration
		apart   time.Duration
	}{
		{"exp 2x10ms", 2, exponential, 10 * time.Millisecond, 0},
		{"const 2x10ms", 2, constant, 10 * time.Millisecond, 0},
		{"const 1x1ms", 1, constant, time.Millisecond, 0},
		{"exp 8x10ms", 8, exponential, 10 * time.Millisecond, 0},
		{"heavy 8x10ms", 8, heavy, 10 * time.Millisecond, 0},
		{"exp 100x10ms", 100, exponential, 10 * time.Millisecond, 0},
		{"exp 2x50us", 2, exponential, 50 * time.Microsecond, 0},
		{"exp 2x1ms+20ms", 2, exponential, time.Millisecond, 20 * time.Millisecond},
		{"exp 8x1s", 8, exponential, time.Second, 0},
	} {
		capacity := float64(row.workers) / row.mean.Seconds()
		span := min(20*time.Second, time.Duration(20000/capacity*float64(time.Second)))
		warm := max(5*time.Second, 20*row.mean)
		if row.mean < time.Millisecond {
			warm = time.Second
		}
		if row.mean >= time.Second {
			span = 200 * time.Second
		}
		synctest.Test(t, func(t *testing.T) {
			patience := 1000 * row.mean
			var base time.Duration
			for _, x := range []float64{0.8, 1, 2, 5, 10} {
				s, err := loadshed.New(loadshed.ProcessorThreshold(0))
				if err != nil {
					t.Fatal(err)
				}
				m := newModel(row.workers, row.work(row.mean))
				m.apart = row.apart
				if x == 0.8 {
					base = run(t, m, nil, load{rate: capacity * x, patience: patience}, warm, span).p99()
				}
				var lims []int
				go func() {
					time.Sleep(warm)
					for range 200 {
						time.Sleep(span / 200)
						lims = append(lims, s.Status().Limit)
					}
				}()
				r := run(t, m, s, load{rate: capacity * x, patience: patience}, warm, span)
				st := s.Status()
				synctest.Wait()
				slices.Sort(lims)
				t.Logf("%v %-15s %4.1fx: goodput %.3f p99 %8v (%.2f of 0.8's) refused %.3f limit %d took %v", []int{lims[len(lims)/20], lims[len(lims)/2], lims[len(lims)*19/20]}, row.name, x, float64(r.good)/span.Seconds()/capacity, r.p99().Round(time.Microsecond), float64(r.p99())/float64(base),
					float64(r.refused)/float64(r.refused+r.good+r.timeout), st.Limit, st.Took)
			}
		})
	}
}
