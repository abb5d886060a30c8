// Package chain simulates users who call a front tier, which calls a middle tier, which calls a back tier, in virtual time, while the
// back tier loses capacity for a while. The pools, retries, budgets, transports and middleware are those of Ashlar as they are; what is
// modelled is the users, and the work that an instance does.
//
// Run has to be called in a bubble of testing/synctest, whose clock jumps to the next thing that happens. Command stormsim does that.
package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
)

// Config says what is simulated. The back tier is Instances queues in front of Workers each; those of the other tiers take Overhead for a
// call, and have room for all.
type Config struct {
	Rate     float64       // calls of all users a second, as a Poisson process
	Patience time.Duration // after which a user has gone
	Length   time.Duration // for which users call

	Instances int           // of the back tier; the others have two each
	Workers   int           // of an instance of the back tier: how many calls it works on at once
	Queue     int           // how many wait in front of it at most; what is more is refused with Unavailable
	Work      time.Duration // on a call, on the average: half of it fixed, half of it exponentially distributed
	Overhead  time.Duration // in each of the other tiers, before it calls the next

	Attempts int           // that users and the first two tiers make of a call
	Timeout  time.Duration // of an attempt
	Fault    Fault
	Policy   Policy
}

// Fault is what happens to the back tier, from a moment to another.
type Fault struct {
	From, To time.Duration
	Slow     float64 // how often longer the work takes; 0 is not at all
	Stall    bool    // no work is done
}

// Policy is what is done about overload.
type Policy struct {
	// Travel says that the deadline of a call reaches those who serve it, and so does the news that its caller has gone. Without it
	// they work for callers that have gone long ago.
	Travel bool
	// Pool are options of the pools of the users and of the first two tiers.
	Pool []lb.PoolOption
	// Client returns what is around the calls that a tier makes. It is called for each instance.
	Client func(tier Tier) ([]endpoint.Middleware, error)
	// Arrival returns what is around the service of an instance, its queue included.
	Arrival func(tier Tier) ([]endpoint.Middleware, error)
	// Server returns what is around the service of an instance, after its queue.
	Server func(tier Tier) ([]endpoint.Middleware, error)
}

// Tier is one of those that call or are called.
type Tier int

// The tiers, each of which calls the next.
const (
	Users Tier = iota
	Front
	Middle
	Back
)

// String returns "users", "front" and so on.
func (t Tier) String() string { return [...]string{"users", "front", "middle", "back"}[t] }

// Capacity is how many calls a second the back tier can serve.
func (c *Config) Capacity() float64 { return float64(c.Instances*c.Workers) / c.Work.Seconds() }

func (c *Config) check() error {
	switch {
	case !(c.Rate > 0):
		return fmt.Errorf("%v calls a second: want more than 0", c.Rate)
	case c.Patience <= 0 || c.Length <= 0 || c.Work <= 0 || c.Timeout <= 0 || c.Overhead < 0:
		return fmt.Errorf("patience of %v, length of %v, work of %v, a timeout of %v and an overhead of %v: want more than 0",
			c.Patience, c.Length, c.Work, c.Timeout, c.Overhead)
	case c.Instances < 1 || c.Workers < 1 || c.Queue < 0:
		return fmt.Errorf("%d instances of %d workers with a queue of %d: want 1 or more", c.Instances, c.Workers, c.Queue)
	case c.Fault.From < 0 || c.Fault.To < c.Fault.From || c.Fault.To > c.Length:
		return fmt.Errorf("a fault from %v to %v of %v", c.Fault.From, c.Fault.To, c.Length)
	case c.Fault.Slow < 0:
		return fmt.Errorf("a fault that makes work %v times longer: want 0 or more", c.Fault.Slow)
	}
	return nil
}

// world is what a simulation is made of.
type world struct {
	*Config

	begin     time.Time
	counts    *counts
	life      context.Context // of those who do not know that their callers have gone; ends with the simulation
	abandoned sync.WaitGroup
	pools     []*lb.Pool[*node]
}

// Run simulates, and returns what came of it. It fails when config makes no sense.
func Run(ctx context.Context, config Config) (result *Result, err error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	life, end := context.WithCancel(ctx)
	w := &world{Config: &config, counts: newCounts(config.Length), life: life}
	defer func() {
		end()
		w.abandoned.Wait()
		for _, p := range w.pools {
			err = errors.Join(err, p.Close())
		}
	}()
	const others = 2
	var tier []*node
	for t := Back; t > Users; t-- {
		instances := others
		if t == Back {
			instances = config.Instances
		}
		if tier, err = w.tier(t, instances, tier); err != nil {
			return nil, fmt.Errorf("chain: the %v tier: %w", t, err)
		}
	}
	call, err := w.client(Users, tier)
	if err != nil {
		return nil, fmt.Errorf("chain: the users: %w", err)
	}
	w.begin = time.Now()
	w.users(ctx, call)
	return w.counts.result(&config), nil
}
