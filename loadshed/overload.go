package loadshed

import "time"

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
	s.wait, s.newest = s.patience, s.overloaded
	if s.overloaded {
		s.wait = s.target
	}
}

// watch begins and ends the overload. The caller holds mu.
//
// As in "Fail at Scale" (Maurer, ACM Queue 13(8), 2015) the line has two states. It is well while it is empty at times, or while at least once
// in an interval the oldest call in it has waited for less than the target: that is the minimum that CoDel looks at (Nichols and Jacobson,
// Controlling Queue Delay, ACM Queue 10(5), 2012), which tells a burst from a queue that stands. Then calls are served in the order
// in which they came. Else there is overload until the line is empty once: calls wait for no longer than the target,
// and the newest come first, since their callers are the most likely to be still there.
func (s *Shedder) watch(now time.Duration) {
	if now < s.watched {
		return
	}
	if s.line.len == 0 {
		s.emptied = true
	}
	waited := s.waited(now)
	switch {
	case s.overloaded && waited-s.waitedThen < (now-s.watchedFrom)/2:
		s.overloaded = false
	case !s.overloaded && !s.emptied && s.shortest > s.target && s.shortest < forever:
		s.overloaded = true
	}
	s.emptied, s.shortest = false, forever
	s.setPatience()
	s.watched, s.watchedFrom, s.waitedThen = now+s.patience, now, waited
}

// metering is how often the processors are looked at.
const metering = 100 * time.Millisecond

// meterProcessors looks whether the processors are busy. The caller holds mu.
func (s *Shedder) meterProcessors(now time.Duration) {
	if s.meter == nil || now < s.metered {
		return
	}
	s.metered = now + metering
	s.usage = s.meter.Read(now)
	s.strict.Store(s.config.threshold > 0 && s.usage.Share >= s.config.threshold || s.config.stall > 0 && s.usage.Stalled >= s.config.stall)
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
	if refused != s.counted || s.overloaded || s.strict.Load() {
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
