package lb

import (
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
)

// The defaults of a pool.
const (
	DefaultDialTimeout = 5 * time.Second
	DefaultDrain       = 30 * time.Second
	DefaultEjectAfter  = 5   // failed calls in a row
	DefaultEjectRate   = 1.9 // standard deviations below the average
	DefaultMaxEjected  = 0.5 // of the instances
	DefaultPanic       = 0.5 // of the instances
	DefaultEjectFirst  = 2 * time.Second
	DefaultEjectMax    = 60 * time.Second
)

// PoolOption sets up a pool. One that is given twice replaces the earlier, but for PoolEvents.
type PoolOption func(*poolConfig) error

type poolConfig struct {
	policy      Policy
	waitReady   bool
	dialTimeout time.Duration
	drain       time.Duration
	slowStart   time.Duration
	zone        string
	minInZone   int
	subset      subset
	ejectAfter  int
	ejectRate   float64
	maxEjected  float64
	panicShare  float64
	ejectFirst  time.Duration
	ejectMax    time.Duration
	failure     func(error) bool
	events      []func(Event)
	retryRatio  float64 // retries for each call
	retryFloor  float64 // retries a second
}

func defaultPoolConfig() *poolConfig {
	return &poolConfig{
		policy: PeakEWMA(), dialTimeout: DefaultDialTimeout, drain: DefaultDrain, ejectAfter: DefaultEjectAfter, ejectRate: DefaultEjectRate,
		maxEjected: DefaultMaxEjected, panicShare: DefaultPanic, ejectFirst: DefaultEjectFirst, ejectMax: DefaultEjectMax, failure: IsFailure,
		retryRatio: DefaultRetryRatio, retryFloor: DefaultRetryFloor,
	}
}

// PoolPolicy sets how an instance is chosen. The default is PeakEWMA.
func PoolPolicy(policy Policy) PoolOption {
	return func(c *poolConfig) error {
		if policy == nil {
			return errors.New("PoolPolicy: the policy is nil")
		}
		c.policy = policy
		return nil
	}
}

// PoolWaitReady makes calls wait for an instance where there is none, as after a start, until their context ends. Without it they
// fail at once.
func PoolWaitReady() PoolOption {
	return func(c *poolConfig) error {
		c.waitReady = true
		return nil
	}
}

// PoolDialTimeout limits how long one Dial may take. The default is DefaultDialTimeout. A dial that failed is tried again after 100
// ms, and later after up to 5 s, half of it at random.
func PoolDialTimeout(limit time.Duration) PoolOption {
	return func(c *poolConfig) error {
		c.dialTimeout = limit
		return option.Positive("PoolDialTimeout", limit)
	}
}

// PoolDrain limits how long the calls of an instance that has departed may go on until its client is closed, and those of the pool
// after Close. The default is DefaultDrain; 0 is at once. What becomes of those that go on nevertheless is for the client to say: a
// *grpc.ClientConn cuts them, and the Conn of HTTP and that of NATS do not.
func PoolDrain(limit time.Duration) PoolOption {
	return func(c *poolConfig) error {
		c.drain = limit
		if limit < 0 {
			return fmt.Errorf("PoolDrain(%v): want 0 or more", limit)
		}
		return nil
	}
}

// PoolSlowStart gives an instance that was connected less than window ago fewer calls: a tenth at first, and then more in proportion
// to the time, whatever the policy. It is for instances that have caches to fill. The default is none.
func PoolSlowStart(window time.Duration) PoolOption {
	return func(c *poolConfig) error {
		c.slowStart = window
		return option.Positive("PoolSlowStart", window)
	}
}

// PoolZone prefers the instances of the caller's zone while there are at least min of them that can be picked: then the others get
// calls only when some of the zone cannot be picked, and only what is too much for the rest of it.
func PoolZone(zone string, atLeast int) PoolOption {
	return func(c *poolConfig) error {
		if zone == "" || atLeast < 1 {
			return fmt.Errorf("PoolZone(%q, %d): want a zone, and 1 or more", zone, atLeast)
		}
		c.zone, c.minInZone = zone, atLeast
		return nil
	}
}

// PoolSubset connects to size of the instances only, for services with many callers and many instances. Which ones depends on caller, a
// name that differs between callers and lasts, such as a host's name, and on nothing else, so that a change of the set changes little.
func PoolSubset(size int, caller string) PoolOption {
	return func(c *poolConfig) error {
		if size < 1 || caller == "" {
			return fmt.Errorf("PoolSubset(%d, %q): want 1 or more, and a name", size, caller)
		}
		c.subset = subset{size: size, caller: caller}
		return nil
	}
}

// PoolEjectAfter takes an instance out after so many failed calls in a row, and after one that it refused since it shuts down. The default
// is DefaultEjectAfter; 0 switches it off. It stays in while nearly all of the others fail a third as often as it does or more, each in its
// last calls, since it is no worse than they then, and what fails is what all of them call, or there is too much for all.
func PoolEjectAfter(calls int) PoolOption {
	return func(c *poolConfig) error {
		if calls < 0 {
			return fmt.Errorf("PoolEjectAfter(%d): want 0 or more", calls)
		}
		c.ejectAfter = calls
		return nil
	}
}

// PoolEjectRate takes an instance out when the share of its calls that succeed, in the last 10 s, is lower than the average by so many
// standard deviations. It needs five instances with a hundred calls each. The default is DefaultEjectRate; 0 switches it off.
func PoolEjectRate(deviations float64) PoolOption {
	return func(c *poolConfig) error {
		if !(deviations >= 0) {
			return fmt.Errorf("PoolEjectRate(%v): want 0 or more", deviations)
		}
		c.ejectRate = deviations
		return nil
	}
}

// PoolEjectTime sets how long an instance is out: first, then twice as long each time, up to limit. When it was well for limit it
// begins at first again. The defaults are DefaultEjectFirst and DefaultEjectMax.
func PoolEjectTime(first, limit time.Duration) PoolOption {
	return func(c *poolConfig) error {
		if first <= 0 || limit < first {
			return fmt.Errorf("PoolEjectTime(%v, %v): want more than 0, and as much or more", first, limit)
		}
		c.ejectFirst, c.ejectMax = first, limit
		return nil
	}
}

// PoolMaxEjected sets which share of the instances may be out at a time, from 0, which switches ejection off, to 1; where there are two
// or more, one may. The default is DefaultMaxEjected.
func PoolMaxEjected(share float64) PoolOption {
	return func(c *poolConfig) error {
		c.maxEjected = share
		return fraction("PoolMaxEjected", share)
	}
}

// PoolPanic sets the share of instances, from 0 to 1, that must not be ejected: while it is less, all get calls, since the few would be
// overrun. The default is DefaultPanic.
func PoolPanic(share float64) PoolOption {
	return func(c *poolConfig) error {
		c.panicShare = share
		return fraction("PoolPanic", share)
	}
}

// PoolFailure sets which errors speak against an instance. The default is IsFailure.
func PoolFailure(failure func(err error) bool) PoolOption {
	return func(c *poolConfig) error {
		if failure == nil {
			return errors.New("PoolFailure: the function is nil")
		}
		c.failure = failure
		return nil
	}
}

// PoolEvents adds a function that is told what happens to the pool, one event after the other. It must not block: nothing else happens to
// the pool meanwhile, though calls go on.
func PoolEvents(told func(Event)) PoolOption {
	return func(c *poolConfig) error {
		if told == nil {
			return errors.New("PoolEvents: the function is nil")
		}
		c.events = append(c.events, told)
		return nil
	}
}

// IsFailure says whether an error speaks against the instance that it came from: Unavailable, Internal, Unknown, DataLoss and
// DeadlineExceeded do. What the caller did wrong does not, nor that it gave up, nor that it left less time than the operation takes, with
// the reason DEADLINE_UNREACHABLE (package deadline).
func IsFailure(err error) bool {
	switch status.CodeOf(err) {
	case status.Unavailable, status.Internal, status.Unknown, status.DataLoss:
		return true
	case status.DeadlineExceeded:
		return !hasty(err)
	}
	return false
}

// shed says whether a call was refused by an instance that has more to do than it can.
func shed(err error) bool {
	e := status.As(err)
	return e != nil && e.Reason == "OVERLOADED"
}

// hasty says whether a call was refused since its caller had left too little time.
func hasty(err error) bool {
	e := status.As(err)
	return e != nil && e.Reason == "DEADLINE_UNREACHABLE"
}

func fraction(name string, share float64) error {
	if !(share >= 0 && share <= 1) {
		return fmt.Errorf("%s(%v): want 0 to 1", name, share)
	}
	return nil
}
