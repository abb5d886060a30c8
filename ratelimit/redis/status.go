package redislimit

import (
	"sync/atomic"
	"time"
)

// Status is what a limiter is and has done at one moment, for pages and metrics.
type Status struct {
	Name     string
	Fallback Fallback
	// Gone says that Redis does not decide at the moment, since when and why.
	Gone  bool
	Since time.Time
	Err   error
	// Outages is how often that has begun.
	Outages uint64
	// Shared are the decisions by Redis.
	Shared Counts
	// Alone are those without it, by the Fallback. With Refuse all are Refused: Take failed with ErrGone.
	Alone Counts
}

// Counts are how many calls of Take were decided in which way.
type Counts struct{ Allowed, Refused uint64 }

// Status returns what the limiter is and has done. It does not ask Redis.
func (l *Limiter) Status() Status {
	s := Status{
		Name: l.name, Fallback: l.fallback, Outages: l.outages.Load(), Shared: l.shared.counts(), Alone: l.alone.counts(),
	}
	if o := l.outage.Load(); o != nil {
		s.Gone, s.Since, s.Err = true, o.since, o.reason.Load().err
	}
	return s
}

// tally counts decisions.
type tally struct{ allowed, refused atomic.Uint64 }

func (t *tally) add(allowed bool) {
	if allowed {
		t.allowed.Add(1)
	} else {
		t.refused.Add(1)
	}
}

func (t *tally) counts() Counts { return Counts{Allowed: t.allowed.Load(), Refused: t.refused.Load()} }
