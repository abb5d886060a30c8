package shedsim_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/loadshed/shedsim"
	"github.com/ashlar-go/ashlar/transport"
)

func run(t *testing.T, c shedsim.Config) (r *shedsim.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = shedsim.Run(c); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

// one is a service with one worker that takes 10 ms, under a load of so many calls a second.
func one(rate float64) shedsim.Config {
	return shedsim.Config{
		Service: shedsim.Service{Workers: 1, Work: shedsim.Constant(10 * time.Millisecond)}, Warmup: time.Second, Measure: 100 * time.Second,
		Loads: []shedsim.Load{{Rate: rate, Patience: time.Second}},
	}
}

func near(t *testing.T, what string, want, have, off float64) {
	t.Helper()
	if math.Abs(have-want) > off {
		t.Errorf("%s: want %v, %v more or less, have %v", what, want, off, have)
	}
}

func TestALoadThatTheServiceCanBearIsServed(t *testing.T) {
	t.Parallel()
	r := run(t, one(50))
	near(t, "goodput", 50, r.Goodput(), 3)
	near(t, "share served", 1, r.Share(shedsim.Served), 0)
	if p0, p50 := r.Quantile(0), r.Quantile(0.5); p0 != 10*time.Millisecond || p50 < p0 || p50 > 15*time.Millisecond {
		t.Errorf("want calls to take 10 ms, and half of them up to 15 ms, as in a queue M/D/1, have %v and %v", p0, p50)
	}
	c := one(50)
	c.Service.Apart = 7 * time.Millisecond
	if want, have := 17*time.Millisecond, run(t, c).Quantile(0); want != have {
		t.Errorf("want %v with the time apart, have %v", want, have)
	}
}

func TestAServiceWithoutALimitWorksForNobody(t *testing.T) {
	t.Parallel()
	c := one(200)
	c.Warmup = 3 * time.Second
	if r := run(t, c); r.Goodput() != 0 || r.Share(shedsim.TooLate) != 1 || r.Quantile(0.99) != 0 {
		t.Errorf("want all to be too late, have a goodput of %v, a share of %v", r.Goodput(), r.Share(shedsim.TooLate))
	}
}

func TestRefusalsAreCountedByPriority(t *testing.T) {
	t.Parallel()
	c := one(20)
	c.Loads = append(c.Loads, shedsim.Load{Rate: 20, Patience: time.Second, Priority: transport.PriorityCritical})
	var ended atomic.Int64
	c.Acquire = func(ctx context.Context) (func(error), error) {
		if transport.PriorityOf(ctx) == transport.PriorityCritical {
			return func(error) { ended.Add(1) }, nil
		}
		return nil, errors.New("no")
	}
	r := run(t, c)
	near(t, "served, critical", 2000, float64(r.Count(transport.PriorityCritical, shedsim.Served)), 150)
	near(t, "refused, default", 2000, float64(r.Count(transport.PriorityDefault, shedsim.Refused)), 150)
	near(t, "share refused", 0.5, r.Share(shedsim.Refused), 0.03)
	if want, have := int64(r.Count(transport.PriorityCritical, shedsim.Served)), ended.Load(); have < want {
		t.Errorf("want done to be called for each of %d calls, have %d", want, have)
	}
}

func TestAChangeIsInForceFromItsTimeOn(t *testing.T) {
	t.Parallel()
	c := one(150)
	c.Warmup, c.Measure = 10*time.Second, 50*time.Second
	two := shedsim.Service{Workers: 2, Work: c.Service.Work}
	c.Changes = []shedsim.Change{{At: 0, Service: two}, {At: 30 * time.Second, Service: c.Service}} // from 20 s of those measured
	near(t, "goodput", 150*20.0/50, run(t, c).Goodput(), 12)
}

func TestTheSeedMakesTheRun(t *testing.T) {
	t.Parallel()
	c := one(50)
	first, again := run(t, c), run(t, c)
	c.Seed = 1
	if other := run(t, c); first.Goodput() != again.Goodput() || first.Goodput() == other.Goodput() {
		t.Errorf("want the same with the same seed alone, have %v, %v and %v", first.Goodput(), again.Goodput(), other.Goodput())
	}
}

func TestSamplesHaveTheirMean(t *testing.T) {
	t.Parallel()
	const mean, draws = 10 * time.Millisecond, 400_000
	for name, sample := range map[string]shedsim.Sample{
		"constant": shedsim.Constant(mean), "exponential": shedsim.Exponential(mean), "heavy-tailed": shedsim.HeavyTailed(mean),
		"mixed": shedsim.Mixed(0.75, shedsim.Constant(mean/2), shedsim.Constant(mean*5/2)),
	} {
		random, sum := rand.New(rand.NewPCG(1, 2)), time.Duration(0)
		for range draws {
			sum += sample(random)
		}
		near(t, name, 1, float64(sum/draws)/float64(mean), 0.02)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*shedsim.Config){
		"want loads":  func(c *shedsim.Config) { c.Loads = nil },
		"to measure":  func(c *shedsim.Config) { c.Measure = 0 },
		"the Service": func(c *shedsim.Config) { c.Service.Workers = 0 },
		"and work":    func(c *shedsim.Config) { c.Service.Work = nil },
		"change 0":    func(c *shedsim.Config) { c.Changes = []shedsim.Change{{}} },
		"change 1": func(c *shedsim.Config) {
			c.Changes = []shedsim.Change{{At: 2, Service: c.Service}, {At: 1, Service: c.Service}}
		},
		"load 0":       func(c *shedsim.Config) { c.Loads[0].Rate = math.NaN() },
		"and patience": func(c *shedsim.Config) { c.Loads[0].Patience = 0 },
		"priorities":   func(c *shedsim.Config) { c.Loads[0].Priority = 2 },
	} {
		c := one(1)
		spoil(&c)
		if _, err := shedsim.Run(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
}
