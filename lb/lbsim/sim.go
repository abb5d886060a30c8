// Package lbsim simulates callers and instances in virtual time, with the pools, policies and retries of package lb as they are:
// nothing of them is modelled. What is modelled is the instances, each a queue in front of workers, and the callers, who do not know
// of each other.
//
// Run has to be called in a bubble of testing/synctest, whose clock jumps to the next thing that happens. Command cmd/lbsim does
// that, and prints the table of docs/lb-simulation.md.
package lbsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// Config says what is simulated.
type Config struct {
	Instances int              // of the service
	Callers   int              // each with a pool of its own
	Policy    func() lb.Policy // for each caller
	Pool      []lb.PoolOption  // besides the policy
	Endpoint  []lb.EndpointOption

	Load    float64       // the part of what all instances together can do, 0 to 1
	Workers int           // of an instance: how many calls it serves at once
	Service func() Sample // how long serving takes, for each instance
	Warmup  time.Duration // before anything is counted
	Measure time.Duration // while calls are counted
	Faults  []Fault
}

// Sample draws how long the serving of a call takes.
type Sample func() time.Duration

// Exponential draws from an exponential distribution with the mean.
func Exponential(mean time.Duration) Sample {
	return func() time.Duration { return time.Duration(rand.ExpFloat64() * float64(mean)) } //nolint:gosec // no secret
}

// Bimodal draws fast from an exponential distribution with the mean fast, and with the probability p from one with the mean slow.
func Bimodal(fast, slow time.Duration, p float64) Sample {
	short, long := Exponential(fast), Exponential(slow)
	return func() time.Duration {
		if rand.Float64() < p { //nolint:gosec // no secret
			return long()
		}
		return short()
	}
}

// Fault is what goes wrong with the first instances. Times count from the end of the warm-up.
type Fault struct {
	Instances int
	From, To  time.Duration
	Slow      float64 // how often longer serving takes; 0 is not at all
	Failing   bool    // calls fail at once, after having been sent
	Down      bool    // calls cannot be sent
}

// Result is what came of the calls that began while they were counted.
type Result struct {
	Calls, Errors, Attempts int
	Latencies               Latencies // of the calls that succeeded
	ByInstance              []int     // attempts that reached each instance
}

var spec = endpoint.Spec{Service: "simulated", Method: "Call", Idempotent: true, Side: endpoint.Client}

// Run simulates, and returns what came of it. It fails when config makes no sense.
func Run(ctx context.Context, config Config) (result *Result, err error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("lbsim: %w", err)
	}
	w := newWorld(config)
	addresses := make([]string, config.Instances)
	for i := range addresses {
		addresses[i] = strconv.Itoa(i)
	}
	registry, err := sd.NewStaticAddresses(addresses...)
	if err != nil {
		return nil, err
	}
	callers := make([]*caller, config.Callers)
	for i := range callers {
		if callers[i], err = newCaller(w, registry, config); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, callers[i].pool.Close()) }()
	}
	for _, c := range callers { // until all are dialled, so that the first calls do not meet on one instance
		if err := c.ready(ctx, config.Instances); err != nil {
			return nil, err
		}
	}
	w.begin = time.Now().Add(config.Warmup)
	end := w.begin.Add(config.Measure)
	var group sync.WaitGroup
	for _, c := range callers {
		group.Go(func() { c.run(ctx, end, config.rate()/float64(config.Callers)) })
	}
	group.Wait()
	result = &Result{ByInstance: w.served()}
	for _, c := range callers {
		result.add(c)
	}
	result.Latencies.sort()
	return result, nil
}

func (c Config) check() error {
	switch {
	case c.Instances < 1 || c.Callers < 1 || c.Workers < 1:
		return fmt.Errorf("%d instances with %d workers and %d callers: want 1 or more of each", c.Instances, c.Workers, c.Callers)
	case !(c.Load > 0):
		return fmt.Errorf("a load of %v: want more than 0", c.Load)
	case c.Policy == nil || c.Service == nil:
		return errors.New("the policy or the service is missing")
	case c.Measure <= 0 || c.Warmup < 0:
		return fmt.Errorf("%v of warm-up and %v of measuring: want time", c.Warmup, c.Measure)
	}
	for _, f := range c.Faults {
		if f.Instances < 1 || f.Instances > c.Instances || f.To < f.From {
			return fmt.Errorf("a fault of %d of %d instances from %v to %v", f.Instances, c.Instances, f.From, f.To)
		}
	}
	return nil
}

// rate is how many calls a second all callers make.
func (c Config) rate() float64 {
	const draws = 100_000
	sample := c.Service()
	var sum time.Duration
	for range draws {
		sum += sample()
	}
	mean := (sum / draws).Seconds()
	return c.Load * float64(c.Instances*c.Workers) / mean
}
