package shedsim

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

// Outcome is what has become of a call.
type Outcome uint8

// The outcomes.
const (
	Served  Outcome = iota // in time
	Refused                // by Acquire
	TooLate                // served, when its caller was gone
	outcomes
)

// Result is what the callers have seen.
type Result struct {
	Span   time.Duration
	counts [3][outcomes]int
	took   []time.Duration // of the calls that were served in time
	sorted bool
}

func (r *Result) add(p transport.Priority, o Outcome, took time.Duration) {
	r.counts[p+1][o]++
	if o == Served {
		r.took, r.sorted = append(r.took, took), false
	}
}

// Count returns how many calls of that priority ended so.
func (r *Result) Count(p transport.Priority, o Outcome) int { return r.counts[p+1][o] }

// Share returns the share of all calls that ended so.
func (r *Result) Share(o Outcome) float64 {
	n, all := 0, 0
	for _, counts := range r.counts {
		n += counts[o]
		all += counts[Served] + counts[Refused] + counts[TooLate]
	}
	return float64(n) / float64(max(all, 1))
}

// Goodput returns how many calls were served in time, a second.
func (r *Result) Goodput() float64 { return float64(len(r.took)) / r.Span.Seconds() }

// Quantile returns how long the calls that were served in time took at most, but for the share that is left.
func (r *Result) Quantile(q float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	if !r.sorted {
		slices.Sort(r.took)
		r.sorted = true
	}
	return r.took[min(int(q*float64(len(r.took))), len(r.took)-1)]
}
