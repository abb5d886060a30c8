package loadshed

import (
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/internal/processor"
)

// setPatience sets how long calls may wait. The caller holds mu.
func (s *Shedder) setPatience() {
	s.target, s.patience = s.config.target, s.config.interval
	if s.target == 0 {
		s.target = min(max(s.usual, leastTarget), mostTarget)
	}
	if s.patience == 0 {
		s.patience = intervalOfTarget * s.target
	}
	s.patience = max(s.patience, s.target)
	for c := range s.line.queues {
		q := &s.line.queues[c]
		q.wait, q.reversed = s.patience, s.overloaded[c]
		if q.reversed {
			q.wait = s.target
		}
	}
}

// interval is a time in which the queues are watched.
type interval struct {
	from, to time.Duration
	waited   [classes]time.Duration // for how long somebody had waited, in all, when it began
}

// watch begins and ends the overload. The caller holds mu.
//
// As in "Fail at Scale" (Maurer, ACM Queue 13(8), 2015) a queue has two states. It is well while it is empty at times, or while at least
// once in an interval the oldest call in it has waited for less than the target: that is the minimum that CoDel looks at (Nichols and
// Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012), which tells a burst from a queue that stands. Then calls pass in the
// order in which they came. Else there is overload, until the queue is empty for half of an interval: calls wait for no longer than the
// target, and the newest come first, since their callers are the most likely to be still there. Each class has a queue of its own, so
// that those who are not served do not take the patience from those who are.
func (s *Shedder) watch(now time.Duration) {
	if now < s.interval.to {
		return
	}
	for c := range s.line.queues {
		q := &s.line.queues[c]
		waited := q.waited.until(now)
		within, all := waited-s.interval.waited[c], now-s.interval.from
		if s.overloaded[c] {
			s.overloaded[c] = within >= all/2
		} else {
			s.overloaded[c] = q.len > 0 && within == all && min(q.shortest, now-q.oldest.since) > s.target
		}
		q.shortest, s.interval.waited[c] = forever, waited
	}
	s.setPatience()
	s.interval.from, s.interval.to = now, now+min(s.patience, forever-now)
}

// metering is how often the processors are looked at.
const metering = 100 * time.Millisecond

// metered notes whether the processors are busy. The caller holds mu.
func (s *Shedder) metered(usage processor.Usage) {
	s.usage, s.meterAt = usage, s.now()+metering
	s.strict.Store(s.config.threshold > 0 && usage.Share >= s.config.threshold || s.config.stall > 0 && usage.Stalled >= s.config.stall)
}

// calming is for how long nothing must be wrong until an overload has ended.
const calming = time.Second

// tell notes the event that an overload has begun or ended. The caller holds mu.
func (s *Shedder) tell(now time.Duration) {
	refused := uint64(0)
	for v := full; v < gone; v++ {
		for c := range s.refused[v] {
			refused += s.refused[v][c].Load()
		}
	}
	if refused != s.counted || s.isOverloaded() || s.strict.Load() {
		s.counted, s.calm = refused, now
		if !s.telling {
			s.telling = true
			s.events = append(s.events, Event{Kind: OverloadBegan, Status: s.status(now)})
		}
	} else if s.telling && now-s.calm >= calming {
		s.telling = false
		s.events = append(s.events, Event{Kind: OverloadEnded, Status: s.status(now)})
	}
}

func (s *Shedder) isOverloaded() bool { return slices.Contains(s.overloaded[:], true) }
