package loadshed_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/loadshed/shedsim"
)

// TestSimulation shows, with -v, what becomes of a service under five times its load in virtual time, behind those limiters that go by latency or
// throughput. Those of go-zero and Kratos let everything in until the processor of the machine is busy, which is not simulated.
func TestSimulation(t *testing.T) {
	t.Parallel()
	for name, service := range map[string]shedsim.Service{
		"eight, exponential":       {Workers: 8, Work: shedsim.Exponential(10 * time.Millisecond)},
		"eight, with a heavy tail": {Workers: 8, Work: shedsim.HeavyTailed(10 * time.Millisecond)},
		"two, 1 ms after 20 ms":    {Workers: 2, Work: shedsim.Exponential(time.Millisecond), Apart: 20 * time.Millisecond},
		"forty, exponential":       {Workers: 40, Work: shedsim.Exponential(10 * time.Millisecond)},
	} {
		capacity := map[string]float64{
			"eight, exponential": 800, "eight, with a heavy tail": 800, "two, 1 ms after 20 ms": 2000, "forty, exponential": 4000,
		}[name]
		span := time.Duration(min(10, 20_000/capacity) * float64(time.Second))
		for _, limiter := range []string{"none", "ashlar", "failsafe", "failsafe, queueing"} {
			synctest.Test(t, func(t *testing.T) {
				c := shedsim.Config{Service: service, Warmup: 3 * time.Second, Measure: span, Loads: []shedsim.Load{{Rate: 5 * capacity, Patience: time.Second}}}
				limit := func() int { return 0 }
				switch limiter {
				case "none":
					c.Loads[0].Rate = 0.8 * capacity
				case "ashlar":
					s := newShedder(t, loadshed.ProcessorThreshold(0))
					c.Acquire, limit = s.Acquire, func() int { return s.Status().Limit }
				case "failsafe":
					l := adaptivelimiter.NewWithDefaults[any]()
					c.Acquire, limit = byFailsafe(func(context.Context) (adaptivelimiter.Permit, error) {
						if permit, ok := l.TryAcquirePermit(); ok {
							return permit, nil
						}
						return nil, adaptivelimiter.ErrExceeded
					}), l.Limit
				case "failsafe, queueing":
					l := adaptivelimiter.NewBuilder[any]().WithQueueing(2, 3).Build()
					c.Acquire, limit = byFailsafe(l.AcquirePermit), l.Limit
				}
				have, err := shedsim.Run(c)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%-26s %-20s goodput %.3f of the capacity, p99 %v, limit %d", name, limiter, have.Goodput()/capacity,
					have.Quantile(0.99).Round(10*time.Microsecond), limit())
			})
		}
	}
}

func byFailsafe(acquire func(context.Context) (adaptivelimiter.Permit, error)) func(context.Context) (func(error), error) {
	return func(ctx context.Context) (func(error), error) {
		permit, err := acquire(ctx)
		if err != nil {
			return nil, err
		}
		return func(err error) {
			if err == nil {
				permit.Record()
			} else {
				permit.Drop()
			}
		}, nil
	}
}
