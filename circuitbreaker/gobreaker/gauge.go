package sonybreaker

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// gauge is what gobreaker does not tell of a breaker.
type gauge struct {
	start   time.Time
	timeout time.Duration
	until   atomic.Int64 // the end of its being open, since start
	last    atomic.Pointer[circuitbreaker.OpenError]
}

// report is how a breaker is in that state, with those counts.
func report(s gobreaker.State, c gobreaker.Counts) circuitbreaker.Report {
	r := circuitbreaker.Report{State: stateOf(s), Successes: uint64(c.TotalSuccesses), Failures: uint64(c.TotalFailures)}
	if r.State != circuitbreaker.Closed {
		r.DropRatio = 1 // but for those that it is tried with
	}
	return r
}

// soon is when to come back at the latest while other calls find out whether the other side is well.
const soon = time.Second

// steps is in how many steps the time until another attempt is told, so that an error serves for many calls.
const steps = 100

// refusal makes an *circuitbreaker.OpenError of gobreaker's error.
func (g *gauge) refusal(err error) *circuitbreaker.OpenError {
	wait := min(g.timeout, soon)
	if errors.Is(err, gobreaker.ErrOpenState) {
		left := time.Duration(g.until.Load()) - time.Since(g.start)
		wait = max(left, 0).Truncate(g.timeout/steps) + g.timeout/steps
	}
	last := g.last.Load()
	if last == nil || last.RetryAfter != wait || !errors.Is(last.Err, err) {
		last = &circuitbreaker.OpenError{RetryAfter: wait, Err: err}
		g.last.Store(last)
	}
	return last
}
