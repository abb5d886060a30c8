package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Limiter takes from what the holder of a key may still do. New and NewQuota make local ones; package redislimit shares one between
// processes. Package ratelimittest checks all of this.
//
// Take takes n events of the key at once, or none: a refusal is a Decision that is not Allowed, with a nil error, and changes nothing.
// Keys do not influence one another, and any string is one, the empty one too. N of 0 takes nothing and says what is there, as always
// Allowed.
//
// An error says that there is no decision, and what to do then is the caller's choice; nothing is decided silently. It is a *CostError
// where n is less than 0, or more than could ever be taken at once, and what ctx says where ctx has ended; else it comes from where the
// limiter keeps its counts. With an error the Decision is the zero value.
//
// A Limiter is safe for concurrent use. Take blocks no longer than it takes to decide, and never until there are events.
type Limiter interface {
	Take(ctx context.Context, key string, n int) (Decision, error)
}

// Decision is what a Limiter says to one Take.
type Decision struct {
	// Allowed says that the events have been taken.
	Allowed bool
	// Limit is what the decision was made by.
	Limit Limit
	// Remaining is how many events could be taken right after this, 0 or more and at most Limit.Capacity.
	Remaining int
	// Reset is how long it takes until all of the Capacity is there again, if nothing more is taken.
	Reset time.Duration
	// RetryAfter is how long it takes until the n events that were refused can be taken, if nothing else is; 0 where they were allowed.
	RetryAfter time.Duration
}

// Limit is so many events in each period, with bursts of up to Burst at once. Events come back evenly over the period, or at its end, as
// the limiter has it.
type Limit struct {
	// Events is how many there may be in each Period, 1 or more, and at most one in a nanosecond.
	Events int
	// Period is more than 0.
	Period time.Duration
	// Burst is how many there may be at once after a time without any. 0 stands for as many as Events.
	Burst int
}

// PerSecond is a Limit of so many events in each second.
func PerSecond(events int) Limit { return Limit{Events: events, Period: time.Second} }

// PerMinute is a Limit of so many events in each minute.
func PerMinute(events int) Limit { return Limit{Events: events, Period: time.Minute} }

// PerHour is a Limit of so many events in each hour.
func PerHour(events int) Limit { return Limit{Events: events, Period: time.Hour} }

// MaxFill is the longest time in which a Limit may get from nothing to its whole Capacity.
const MaxFill = 100 * 365 * 24 * time.Hour

// Capacity returns how many events there can be at once: Burst, or else Events.
func (l Limit) Capacity() int {
	if l.Burst != 0 {
		return l.Burst
	}
	return l.Events
}

// Fill returns how long it takes to get n events back at the rate of Events in a Period, rounded to a nanosecond. It is for limits that
// Check accepts; where it would be longer than a Duration can say it is the longest one, and 0 where n is less than 1.
func (l Limit) Fill(n int) time.Duration {
	if n < 1 || l.Events < 1 || l.Period <= 0 {
		return 0
	}
	events := uint64(l.Events)
	high, low := bits.Mul64(uint64(n), uint64(l.Period))
	low, carry := bits.Add64(low, events/2, 0)
	if high += carry; high >= events {
		return math.MaxInt64
	}
	d, _ := bits.Div64(high, low, events)
	return time.Duration(min(d, math.MaxInt64))
}

// Check returns an error, which says what is wrong with l, unless l can be used.
func (l Limit) Check() error {
	switch {
	case l.Events < 1:
		return fmt.Errorf("a limit of %d events: want 1 or more", l.Events)
	case l.Period <= 0:
		return fmt.Errorf("a limit with a period of %v: want more than 0", l.Period)
	case l.Burst < 0:
		return fmt.Errorf("a limit with bursts of %d: want 1 or more, or 0 for as many as the events", l.Burst)
	case int64(l.Events) > int64(l.Period):
		return fmt.Errorf("a limit of %d events in %v: want at most one in a nanosecond", l.Events, l.Period)
	case float64(l.Capacity())*(float64(l.Period)/float64(l.Events)) > float64(MaxFill):
		return fmt.Errorf("a limit of %v takes more than a hundred years to be whole again", l)
	}
	return nil
}

// CheckCost returns nil if n events could be taken at once, as Limiter says, else a *CostError. Limiters begin with it.
func (l Limit) CheckCost(n int) error {
	if n < 0 || n > l.Capacity() {
		return &CostError{Cost: n, Limit: l}
	}
	return nil
}

// String returns, for example, "100 in 1m0s" or "100 in 1m0s, at once 20".
func (l Limit) String() string {
	if l.Burst != 0 && l.Burst != l.Events {
		return fmt.Sprintf("%d in %v, at once %d", l.Events, l.Period, l.Burst)
	}
	return fmt.Sprintf("%d in %v", l.Events, l.Period)
}

// CostError says that a Take asked for events that its limit never has at once, so that no waiting helps, or for less than none.
type CostError struct {
	Cost  int
	Limit Limit
}

// Error names both.
func (e *CostError) Error() string {
	if e.Cost < 0 {
		return fmt.Sprintf("ratelimit: a cost of %d, want 0 or more", e.Cost)
	}
	return fmt.Sprintf("ratelimit: a cost of %d, which the limit of %v never has at once", e.Cost, e.Limit)
}

// Is makes errors.Is find ErrCost.
func (e *CostError) Is(target error) bool { return target == ErrCost }

// ErrCost is found by errors.Is in every *CostError.
var ErrCost = errors.New("ratelimit: the cost is not one that could ever be allowed")
