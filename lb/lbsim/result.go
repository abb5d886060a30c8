package lbsim

import (
	"math"
	"slices"
	"time"
)

// Latencies are how long calls took, in rising order.
type Latencies []time.Duration

func (l Latencies) sort() { slices.Sort(l) }

// Percentile returns what p percent of the calls did not exceed, 0 without calls.
func (l Latencies) Percentile(p float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	const whole = 100
	i := int(math.Ceil(p/whole*float64(len(l)))) - 1
	return l[min(max(i, 0), len(l)-1)]
}

func (r *Result) add(c *caller) {
	r.Calls += c.calls
	r.Errors += c.errs
	r.Attempts += c.made
	r.Latencies = append(r.Latencies, c.latencies...)
}

// Amplification is how many attempts there were for each call.
func (r *Result) Amplification() float64 { return float64(r.Attempts) / float64(max(r.Calls, 1)) }

// Imbalance is how much more than the average the busiest instance got: 1 is perfect.
func (r *Result) Imbalance() float64 {
	return float64(slices.Max(r.ByInstance)) * float64(len(r.ByInstance)) / float64(max(r.Attempts, 1))
}

// Share is the part of all attempts that the first n instances got.
func (r *Result) Share(n int) float64 {
	sum := 0
	for _, served := range r.ByInstance[:n] {
		sum += served
	}
	return float64(sum) / float64(max(r.Attempts, 1))
}
