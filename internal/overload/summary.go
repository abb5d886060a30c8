package overload

import (
	"math"
	"slices"
	"time"
)

// Summary is what has become of the calls of a phase, or of any others.
type Summary struct {
	Offered  float64       // calls in a second
	Goodput  float64       // those that were served in time
	P50, P99 time.Duration // that these took; 0 where there were none
	Refused  float64       // share of all calls
	Late     float64
	Failed   float64
}

// Summarize reckons what became of calls that came in so much time.
func Summarize(calls []Call, in time.Duration) Summary {
	var (
		counts [Failed + 1]int
		served []time.Duration
	)
	for _, c := range calls {
		counts[c.Fate]++
		if c.Fate == Served {
			served = append(served, c.Took)
		}
	}
	slices.Sort(served)
	share := func(f Fate) float64 { return float64(counts[f]) / float64(max(1, len(calls))) }
	return Summary{
		Offered: float64(len(calls)) / in.Seconds(), Goodput: float64(counts[Served]) / in.Seconds(),
		P50: quantile(served, 0.5), P99: quantile(served, 0.99), Refused: share(Refused), Late: share(Late), Failed: share(Failed),
	}
}

// quantile is the smallest of the sorted values that at least the share q of them does not exceed, 0 where there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	n := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(n, 1), len(sorted))-1]
}

// InPhase returns those of the calls that began in the phase, later than so long after its beginning.
func (l *Load) InPhase(calls []Call, phase int, after time.Duration) []Call {
	for _, p := range l.Phases[:phase] {
		after += p.For
	}
	var in []Call
	for _, c := range calls {
		if c.Phase == phase && c.Began >= after {
			in = append(in, c)
		}
	}
	return in
}

// Series reckons what became of the calls that began in each of the steps, from the beginning to the end of the last phase.
func (l *Load) Series(calls []Call, step time.Duration) []Summary {
	var end time.Duration
	for _, p := range l.Phases {
		end += p.For
	}
	steps := make([][]Call, (end+step-1)/step)
	for _, c := range calls {
		if n := int(c.Began / step); n < len(steps) {
			steps[n] = append(steps[n], c)
		}
	}
	all := make([]Summary, len(steps))
	for i, s := range steps {
		all[i] = Summarize(s, step)
	}
	return all
}
