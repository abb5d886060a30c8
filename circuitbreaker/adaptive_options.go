package circuitbreaker

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// The defaults of an adaptive breaker. docs/circuitbreaker.md has the reasons, and what others do.
const (
	DefaultWindow     = 3 * time.Second
	DefaultBuckets    = 30
	DefaultK          = 1.5
	DefaultMinK       = 1.1
	DefaultMinKAfter  = 500 * time.Millisecond
	DefaultProtection = 5 // calls in a window
	DefaultProbe      = time.Second
	DefaultStreak     = 10 // calls in a row
	DefaultStreakTime = time.Second

	maxBuckets = 1000
	minBucket  = time.Millisecond
)

// AdaptiveOption sets up an adaptive breaker. One that is given twice replaces the earlier, but for AdaptiveChanges.
type AdaptiveOption func(*adaptiveConfig) error

type adaptiveConfig struct {
	window     time.Duration
	buckets    int
	k, minK    float64
	minKAfter  time.Duration
	protection float64
	probe      time.Duration
	streak     float64
	streakTime time.Duration
	changed    []func(from, to State)

	setK, setMinK bool // by an option
}

func newAdaptiveConfig(opts []AdaptiveOption) (*adaptiveConfig, error) {
	c := &adaptiveConfig{
		window: DefaultWindow, buckets: DefaultBuckets, k: DefaultK, minK: DefaultMinK, minKAfter: DefaultMinKAfter,
		protection: DefaultProtection, probe: DefaultProbe, streak: DefaultStreak, streakTime: DefaultStreakTime,
	}
	if err := option.RefuseNil("the options of the adaptive breaker", opts); err != nil {
		return nil, err
	}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, c.agree()
}

// agree fails when options contradict each other, or a default.
func (c *adaptiveConfig) agree() error {
	switch {
	case c.minK <= c.k:
	case !c.setMinK:
		return fmt.Errorf("AdaptiveK(%v): want %v at least, which it sinks to by default; for less, set AdaptiveMinK as well", c.k, c.minK)
	case !c.setK:
		return fmt.Errorf("AdaptiveMinK(%v, %v): want at most K, which is %v by default; for more, set AdaptiveK as well",
			c.minK, c.minKAfter, c.k)
	default:
		return fmt.Errorf("AdaptiveMinK(%v, %v): want at most K, and AdaptiveK sets %v", c.minK, c.minKAfter, c.k)
	}
	if least := minBucket * time.Duration(c.buckets); c.window < least { // which it is not by default
		return fmt.Errorf("AdaptiveWindow(%v): want %v at least for %d buckets; for less, set AdaptiveBuckets to fewer",
			c.window, least, c.buckets)
	}
	return nil
}

// width is that of a bucket.
func (c *adaptiveConfig) width() time.Duration { return c.window / time.Duration(c.buckets) }

// AdaptiveWindow sets how far back the breaker looks. The default is DefaultWindow.
func AdaptiveWindow(window time.Duration) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.window = window
		return option.Positive("AdaptiveWindow", window)
	}
}

// AdaptiveBuckets sets in how many steps the window moves, 2 to 1000, each a millisecond or longer. The default is DefaultBuckets.
func AdaptiveBuckets(n int) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.buckets = n
		return option.Within("AdaptiveBuckets", n, 2, maxBuckets)
	}
}

// AdaptiveK sets how many calls are let through for each that is accepted. The less it is, the sooner calls are refused: once their share
// that fails is more than 1-1/k. The default is DefaultK, for a third. It must be 1 or more, and not less than that of AdaptiveMinK.
func AdaptiveK(k float64) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.k, c.setK = k, true
		if !multiplier(k) {
			return fmt.Errorf("AdaptiveK(%v): want a number of 1 or more", k)
		}
		return nil
	}
}

// AdaptiveMinK sets what K sinks to, evenly, while there are failures only for as long as after. The defaults are DefaultMinK and
// DefaultMinKAfter. It must be 1 or more.
func AdaptiveMinK(k float64, after time.Duration) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.minK, c.minKAfter, c.setMinK = k, after, true
		if !multiplier(k) || after <= 0 {
			return fmt.Errorf("AdaptiveMinK(%v, %v): want a number of 1 or more, and a time of more than 0", k, after)
		}
		return nil
	}
}

// AdaptiveProtection sets by how many the calls in a window must be more than K times the accepted ones before the breaker begins to refuse
// any, so that few calls do not make it do so. The default is DefaultProtection.
func AdaptiveProtection(calls int) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.protection = float64(calls)
		return option.Within("AdaptiveProtection", calls, 0, math.MaxInt32)
	}
}

// AdaptiveProbe sets after how long without a call one is let through at any rate; up to a quarter is added at random, so that many
// clients do not do so together. It is also the RetryAfter of those that are refused. The default is DefaultProbe.
func AdaptiveProbe(every time.Duration) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.probe = every
		return option.Within("AdaptiveProbe", every, time.Millisecond, 24*time.Hour)
	}
}

// AdaptiveStreak sets how many calls in a row must succeed, and over how long at least, for the formula to be left aside; the fewer have
// succeeded before, the fewer it takes. The defaults are DefaultStreak and DefaultStreakTime.
func AdaptiveStreak(calls int, over time.Duration) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		c.streak, c.streakTime = float64(calls), over
		const longest = 24 * time.Hour
		if calls < 1 || calls > math.MaxInt32 || over < 0 || over > longest {
			return fmt.Errorf("AdaptiveStreak(%d, %v): want 1 to %d calls, and a time of 0 to %v", calls, over, math.MaxInt32, longest)
		}
		return nil
	}
}

// AdaptiveChanges adds a function that is called at each change of the state, in the order in which they happen, one at a time. It must
// neither block nor use the breaker. With Breakers, use OnChange instead.
func AdaptiveChanges(changed func(from, to State)) AdaptiveOption {
	return func(c *adaptiveConfig) error {
		if changed == nil {
			return errors.New("AdaptiveChanges: the function is nil")
		}
		c.changed = append(c.changed, changed)
		return nil
	}
}

func multiplier(k float64) bool { return k >= 1 && !math.IsInf(k, 0) }
