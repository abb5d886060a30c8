package loadshed

import (
	"time"

	"github.com/ashlar-go/ashlar/internal/processor"
)

// Status is what a Shedder knows at one moment.
type Status struct {
	Limit      int           // calls that may be in progress
	InProgress int           // calls that are
	Waiting    Classes       // calls that wait for a place
	Delay      time.Duration // how long the oldest of them has waited
	Took       time.Duration // how long calls take at present, on the average, or did when the last ended
	Overloaded bool          // whether calls of a priority may wait for no longer than the target, the newest first
	Busy       bool          // whether the processors are
	Processor  Processor
	Refused    Refused // since the Shedder was made
}

// Classes counts calls by their priority.
type Classes struct{ Critical, Default, Sheddable uint64 }

// Refused counts calls that were refused, by the reason and their priority.
type Refused struct {
	Full     Classes // there was no room to wait, or others needed it more
	Late     Classes // they had waited too long, or would have had to
	Hopeless Classes // their deadline would have been over
	Busy     Classes // the processors were busy
	Gone     Classes // their context ended while they waited; these were not refused, but given up
}

// Processor is how busy the processors are; the zero value where that is not known, or not looked at.
type Processor struct {
	Source  string  // of what is known: "cgroup v2", "cgroup v1", "machine", "process"
	Limit   float64 // processors that the process may use
	Share   float64 // of them that is used: by the cgroup, where that has a limit, by all of the machine, or by the process
	Stalled float64 // of the time, in which something waits for a processor; 0 where the kernel does not tell
}

// Status returns what is known at this moment, also where no call has passed for a time: it looks at the processors and at the queues as
// a call does, and tells the events that follow. It is for pages and metrics.
func (s *Shedder) Status() Status {
	if s == nil || s.table == nil {
		return Status{}
	}
	s.mu.Lock()
	s.tick(s.now())
	events := s.unlock()
	s.mu.Lock()
	have := s.status(s.now())
	s.mu.Unlock()
	s.told(events)
	return have
}

func (s *Shedder) status(now time.Duration) Status {
	have := Status{
		Limit: int(s.limit.Load()), InProgress: word(s.word.Load()).inProgress(), Took: s.took,
		Overloaded: s.isOverloaded(), Busy: s.strict.Load(),
		Waiting: Classes{
			Critical: uint64(s.line.queues[critical].len), Default: uint64(s.line.queues[ordinary].len),
			Sheddable: uint64(s.line.queues[sheddable].len),
		},
		Refused: Refused{
			Full: s.classes(full), Late: s.classes(late), Hopeless: s.classes(hopeless), Busy: s.classes(pressed), Gone: s.classes(gone),
		},
		Processor: shown(s.usage),
	}
	if since, ok := s.line.oldest(); ok {
		have.Delay = now - since
	}
	return have
}

func (s *Shedder) classes(v verdict) Classes {
	r := &s.refused[v]
	return Classes{Critical: r[critical].Load(), Default: r[ordinary].Load(), Sheddable: r[sheddable].Load()}
}

func shown(u processor.Usage) Processor {
	return Processor{Source: u.Source, Limit: u.Limit, Share: u.Share, Stalled: u.Stalled}
}
