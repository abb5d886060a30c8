package lbsim

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// caller calls by a pool of its own.
type caller struct {
	world *world
	pool  *lb.Pool[*instance]
	call  endpoint.Endpoint[*call, *call]

	mu                sync.Mutex
	latencies         Latencies
	calls, errs, made int
}

// call is a call and its answer.
type call struct {
	counted  bool
	attempts atomic.Int64
}

func newCaller(w *world, registry sd.Instancer, config Config) (*caller, error) {
	opts := append([]lb.PoolOption{lb.PoolPolicy(config.Policy())}, config.Pool...)
	pool, err := lb.New("simulated", registry, w.dial, opts...)
	if err != nil {
		return nil, err
	}
	e, err := lb.Endpoint(spec, pool, func(i *instance) (endpoint.Endpoint[*call, *call], error) { return i.call, nil }, config.Endpoint...)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &caller{world: w, pool: pool, call: e}, nil
}

// ready waits until the pool has dialled all instances.
func (c *caller) ready(ctx context.Context, instances int) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		ready := 0
		for _, i := range c.pool.Instances() {
			if i.State == lb.Ready {
				ready++
			}
		}
		if ready == instances {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// run makes calls, rate of them a second as a Poisson process, until end, and waits for them.
func (c *caller) run(ctx context.Context, end time.Time, rate float64) {
	var group sync.WaitGroup
	defer group.Wait()
	for next := time.Now(); ; {
		next = next.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second))) //nolint:gosec // no secret
		if !next.Before(end) {
			return
		}
		if wait := time.Until(next); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
		group.Go(func() { c.one(ctx) })
	}
}

func (c *caller) one(ctx context.Context) {
	start := time.Now()
	request := &call{counted: !start.Before(c.world.begin)}
	ctx = lb.WithKey(ctx, strconv.FormatUint(rand.Uint64(), 36)) //nolint:gosec // no secret
	_, err := c.call(ctx, request)
	if !request.counted {
		return
	}
	took := time.Since(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.made += int(request.attempts.Load())
	if err != nil {
		c.errs++
		return
	}
	c.latencies = append(c.latencies, took)
}
