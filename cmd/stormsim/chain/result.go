package chain

import (
	"sync/atomic"
	"time"
)

// Step is the time between two points of a Series.
const Step = 500 * time.Millisecond

// Series is how much there was of something in each Step.
type Series []float64

// counter counts by Step.
type counter []atomic.Int64

func (c counter) add(at time.Duration) {
	if i := int(at / Step); i < len(c) {
		c[i].Add(1)
	}
}

func (c counter) series() Series {
	s := make(Series, len(c))
	for i := range c {
		s[i] = float64(c[i].Load())
	}
	return s
}

type counts struct{ calls, good, load counter }

func newCounts(length time.Duration) *counts {
	n := int(length / Step)
	return &counts{make(counter, n), make(counter, n), make(counter, n)}
}

func (c *counts) result(config *Config) *Result {
	return &Result{Calls: c.calls.series(), Good: c.good.series(), Load: c.load.series(), fault: config.Fault, length: config.Length}
}

// Result is what came of a simulation.
type Result struct {
	Calls Series // of users, by when they began
	Good  Series // those of them that were answered before the user had gone, by when they began
	Load  Series // attempts that reached the back tier

	fault  Fault
	length time.Duration
}

// sum is how much there was from a moment to another.
func (s Series) sum(from, to time.Duration) (sum float64) {
	for i := max(0, int(from/Step)); i < min(len(s), int(to/Step)); i++ {
		sum += s[i]
	}
	return sum
}

// Share is the part of the calls that began from a moment to another which were answered in time.
func (r *Result) Share(from, to time.Duration) float64 {
	return r.Good.sum(from, to) / max(1, r.Calls.sum(from, to))
}

// Amplification is how many attempts reached the back tier for each call of a user, from a moment to another.
func (r *Result) Amplification(from, to time.Duration) float64 {
	return r.Load.sum(from, to) / max(1, r.Calls.sum(from, to))
}

// Peak is the highest Amplification of any time of that length since the fault began.
func (r *Result) Peak(length time.Duration) (peak float64) {
	for at := r.fault.From; at+length <= r.length; at += Step {
		peak = max(peak, r.Amplification(at, at+length))
	}
	return peak
}

// Recovery is how long after the fault it took until of the calls of each step at least share were answered in time, to the end; ok is
// false if that never was.
func (r *Result) Recovery(share float64) (took time.Duration, ok bool) {
	for at := r.length; at > r.fault.To; at -= Step {
		if r.Share(at-Step, at) < share {
			return at - r.fault.To, at < r.length
		}
	}
	return 0, r.fault.To < r.length
}
