package loadshed

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/internal/processor"
	"github.com/ashlar-go/ashlar/status"
)

// The defaults of a Shedder.
const (
	DefaultLeast      = 1      // calls in progress
	DefaultFirst      = 12     // at the beginning, for each processor that the process may use (GOMAXPROCS),
	DefaultFirstMost  = 100    // but not more
	DefaultMost       = 10_000 // at most
	DefaultQueueRoom  = 1000   // calls that wait
	DefaultThreshold  = 0.9    // of the processors
	DefaultRetryAfter = time.Second
)

// What follows from how long calls take, where QueueTarget and QueueInterval do not say it.
const (
	leastTarget      = 250 * time.Microsecond
	mostTarget       = 2 * time.Second
	intervalOfTarget = 3
	leastRetryAfter  = time.Millisecond
	mostRetryAfter   = 24 * time.Hour
)

// What options may be.
const (
	leastWait  = time.Microsecond // in a queue
	mostWait   = time.Hour
	leastShare = 0.01 // of the processors
)

// Option sets up a Shedder. One that is given twice replaces the earlier, but for OnEvent.
type Option func(*config) error

type config struct {
	fixed              int // 0: adaptive
	ranged             bool
	least, first, most int
	target, interval   time.Duration // 0: by how long calls take
	room               int
	threshold, stall   float64 // 0: not looked at
	root               string  // "" for the usual one
	retryAfter         time.Duration
	holdStreams        bool
	useful             func(error) bool // nil: IsUseful
	told               []func(Event)
}

func defaults() config {
	return config{
		least: DefaultLeast, first: min(DefaultFirst*runtime.GOMAXPROCS(0), DefaultFirstMost), most: DefaultMost,
		room: DefaultQueueRoom, threshold: DefaultThreshold, retryAfter: DefaultRetryAfter,
	}
}

// FixedLimit lets n calls pass at a time, 1 to MaxLimit, in place of as many as turn out to be best. So it goes neither with LimitRange nor
// with Useful.
func FixedLimit(n int) Option {
	return func(c *config) error {
		c.fixed = n
		return option.Within("FixedLimit", n, 1, MaxLimit)
	}
}

// LimitRange keeps the limit between least and most, and begins with first. The defaults are DefaultLeast, DefaultFirst for
// each processor, but DefaultFirstMost at most, and DefaultMost. Under overload the limit is lowered by a quarter now and then, to see
// what that changes; since that is not done below least either, the limit is a third more than that on the average, or more.
func LimitRange(least, first, most int) Option {
	return func(c *config) error {
		c.ranged, c.least, c.first, c.most = true, least, first, most
		if least < 1 || first < least || most < first || most > MaxLimit {
			return fmt.Errorf("LimitRange(%d, %d, %d): want three numbers from 1 to %d, none less than the one before", least, first, most, MaxLimit)
		}
		return nil
	}
}

// QueueTarget is how long a call may wait while there is overload. The default is as long as calls take, on the average, but 250 µs to 2
// s. It may be 1 µs to an hour.
func QueueTarget(wait time.Duration) Option {
	return func(c *config) error {
		c.target = wait
		return option.Within("QueueTarget", wait, leastWait, mostWait)
	}
}

// QueueInterval is how long a call may wait else, and how long those that wait must have waited for longer than the target, without a
// break, to make it an overload. The default is three times the target. It must be a microsecond or more, and no less than QueueTarget;
// while it is less than the target that follows from how long calls take, the target takes its place.
func QueueInterval(interval time.Duration) Option {
	return func(c *config) error {
		c.interval = interval
		if interval < leastWait {
			return fmt.Errorf("QueueInterval(%v): want %v or more", interval, leastWait)
		}
		return nil
	}
}

// QueueRoom is how many calls may wait, up to MaxLimit. The default is DefaultQueueRoom. 0 is none, and goes with FixedLimit alone: what
// limit is best is seen while calls wait.
func QueueRoom(calls int) Option {
	return func(c *config) error {
		c.room = calls
		return option.Within("QueueRoom", calls, 0, MaxLimit)
	}
}

// ProcessorThreshold is the share of the processors that the process may use, from which on they count as busy: sheddable calls are
// refused then, and a limit that is far from being reached is given up at once. It is 0.01 to 1; the default is DefaultThreshold, and 0
// switches it off.
func ProcessorThreshold(share float64) Option {
	return func(c *config) error {
		c.threshold = share
		return fraction("ProcessorThreshold", share)
	}
}

// ProcessorStall is the share of the time in which something waits for a processor (PSI, where the kernel tells it: else it is taken for
// 0, as Status shows it), from which on the processors count as busy, too. It is 0.01 to 1. The default is 0, which switches it off: a
// process that has more to do at times than processors, and is done with it soon, is not overloaded.
func ProcessorStall(share float64) Option {
	return func(c *config) error {
		c.stall = share
		return fraction("ProcessorStall", share)
	}
}

// ProcessorRoot is the directory below which proc and the cgroups are found: New fails where neither proc/stat nor a cgroup with a limit
// is. The default is "/", where the process itself is measured when there is nothing to be found.
func ProcessorRoot(dir string) Option {
	return func(c *config) error {
		c.root = dir
		if dir == "" {
			return errors.New(`ProcessorRoot(""): want a directory`)
		}
		return nil
	}
}

// RetryAfter is what a caller that is refused is told to wait before it tries again: from half of it to one and a half, so that they do
// not come all at once. The default is DefaultRetryAfter; it may be 1 ms to 24 h.
func RetryAfter(wait time.Duration) Option {
	return func(c *config) error {
		c.retryAfter = wait
		return option.Within("RetryAfter", wait, leastRetryAfter, mostRetryAfter)
	}
}

// HoldStreams makes a stream count as in progress for as long as it lives, for streams that work all the time. Without it a stream is let
// in or refused like a call, and does not count after that. How long streams live is not taken for how long calls take.
func HoldStreams() Option {
	return func(c *config) error {
		c.holdStreams = true
		return nil
	}
}

// Useful sets which errors are a useful end of a call, as no error is: the limit is where the most calls a second end so. The default
// is IsUseful.
func Useful(useful func(err error) bool) Option {
	return func(c *config) error {
		if useful == nil {
			return errors.New("Useful: the function is nil")
		}
		c.useful = useful
		return nil
	}
}

// OnEvent adds a function that is told of overloads, by a call that passes. It must not block.
func OnEvent(told func(Event)) Option {
	return func(c *config) error {
		if told == nil {
			return errors.New("OnEvent: the function is nil")
		}
		c.told = append(c.told, told)
		return nil
	}
}

// IsUseful says whether a call that ended with err, or with nil, was worth its work. Those were not that ran out of time, that their
// caller has given up, or that found something else overloaded: Canceled, DeadlineExceeded, ResourceExhausted, Unavailable. Otherwise
// letting in more than can be done in time would look like getting more done.
func IsUseful(err error) bool {
	if err == nil {
		return true
	}
	switch status.CodeOf(err) {
	case status.Canceled, status.DeadlineExceeded, status.ResourceExhausted, status.Unavailable:
		return false
	}
	return true
}

func fraction(name string, share float64) error {
	if share != 0 && !(share >= leastShare && share <= 1) {
		return fmt.Errorf("%s(%v): want %v to 1, or 0", name, share, leastShare)
	}
	return nil
}

// check sees whether the options fit each other, and sets those that were not given.
func (c *config) check() error {
	switch {
	case c.fixed > 0 && c.ranged:
		return errors.New("LimitRange has no effect with FixedLimit")
	case c.fixed > 0 && c.useful != nil:
		return errors.New("Useful has no effect with FixedLimit")
	case c.room == 0 && c.fixed == 0:
		return errors.New("QueueRoom(0) without FixedLimit: the limit that is best is found while calls wait")
	case c.room == 0 && (c.target > 0 || c.interval > 0):
		return errors.New("QueueTarget and QueueInterval have no effect with QueueRoom(0)")
	case c.interval > 0 && c.interval < c.target:
		return fmt.Errorf("QueueInterval(%v): want no less than the target, %v", c.interval, c.target)
	case c.root != "" && c.threshold == 0 && c.stall == 0:
		return errors.New("ProcessorRoot has no effect with ProcessorThreshold(0) and without ProcessorStall")
	case c.root != "":
		if err := processor.Check(c.root); err != nil {
			return fmt.Errorf("ProcessorRoot(%q): %w", c.root, err)
		}
	default:
		c.root = "/"
	}
	if c.fixed > 0 {
		c.first = c.fixed
	}
	if c.useful == nil {
		c.useful = IsUseful
	}
	return nil
}
