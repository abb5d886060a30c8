// Package shedsim simulates a service under load in virtual time, with or without something that sheds load in front of it. Run is called
// in a bubble of testing/synctest.
//
// The service works on so many calls at a time; the others wait for that within it, in the order in which they came. Calls come as a
// Poisson process from callers who give up after a time, and the service does not notice: that is what makes services without a limit
// collapse, doing work for nobody.
package shedsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

// Config describes a simulation.
type Config struct {
	Service Service
	Changes []Change // of the service, in their order
	Loads   []Load
	Warmup  time.Duration // before which calls are not counted
	Measure time.Duration
	// Acquire asks for a call to be let in, as Shedder.Acquire does. Without it all are.
	Acquire func(ctx context.Context) (done func(err error), err error)
	// Seed makes another run of the same.
	Seed uint64
}

// Service is how it works.
type Service struct {
	Workers int           // calls that are worked on at a time
	Work    Sample        // how long that takes
	Apart   time.Duration // that a call takes besides, waiting for something of which there is enough
}

// Change is another Service from a time on, counted from the beginning of the warm-up.
type Change struct {
	At      time.Duration
	Service Service
}

// Load is callers of one kind.
type Load struct {
	Rate     float64       // calls a second
	Patience time.Duration // after which they give up
	Priority transport.Priority
}

// Sample returns how long the work on a call takes.
type Sample func(r *rand.Rand) time.Duration

// Run simulates, and returns when all calls have ended. It fails when c is wrong.
func Run(c Config) (*Result, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("shedsim: %w", err)
	}
	random := rand.New(rand.NewPCG(c.Seed, 1)) //nolint:gosec // it is a model
	s := &simulation{Config: c, began: time.Now(), service: newService(c.Service, random)}
	end := c.Warmup + c.Measure
	var all sync.WaitGroup
	all.Go(func() {
		for _, change := range c.Changes {
			if change.At < end {
				time.Sleep(change.At - time.Since(s.began))
				s.service.change(change.Service)
			}
		}
	})
	for i, load := range c.Loads {
		all.Go(func() { s.callers(load, rand.New(rand.NewPCG(c.Seed, uint64(i)+2)), end) }) //nolint:gosec // it is a model
	}
	all.Wait()
	s.result.Span = c.Measure
	return &s.result, nil
}

func (c *Config) check() error {
	if len(c.Loads) == 0 || c.Measure <= 0 || c.Warmup < 0 {
		return errors.New("want loads, and time to measure")
	}
	if c.Service.Workers < 1 || c.Service.Work == nil {
		return errors.New("the Service needs workers and work")
	}
	for i, change := range c.Changes {
		if change.Service.Workers < 1 || change.Service.Work == nil || change.At < c.Changes[max(i-1, 0)].At {
			return fmt.Errorf("change %d: want workers and work, and no time before that of the one before", i)
		}
	}
	for i, l := range c.Loads {
		if !(l.Rate > 0) || l.Patience <= 0 || l.Priority < transport.PrioritySheddable || l.Priority > transport.PriorityCritical {
			return fmt.Errorf("load %d: want a rate and patience above 0 and one of the priorities, have %+v", i, l)
		}
	}
	return nil
}

type simulation struct {
	Config

	began   time.Time
	service *service

	mu     sync.Mutex
	result Result
}

// callers makes the calls of a load, and waits for them.
func (s *simulation) callers(load Load, random *rand.Rand, end time.Duration) {
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		time.Sleep(time.Duration(random.ExpFloat64() / load.Rate * float64(time.Second)))
		at := time.Since(s.began)
		if at >= end {
			return
		}
		calls.Go(func() { s.call(load, at >= s.Warmup) })
	}
}

func (s *simulation) call(load Load, counted bool) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(transport.WithPriority(context.Background(), load.Priority), load.Patience)
	defer cancel()
	outcome := Served
	if s.Acquire == nil {
		s.service.serve()
	} else if done, err := s.Acquire(ctx); err != nil {
		outcome = Refused
	} else {
		s.service.serve()
		done(ctx.Err())
	}
	took := time.Since(began)
	if outcome == Served && took > load.Patience {
		outcome = TooLate
	}
	if counted {
		s.mu.Lock()
		s.result.add(load.Priority, outcome, took)
		s.mu.Unlock()
	}
}
