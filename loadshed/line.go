package loadshed

import (
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

// class is a transport.Priority as an index, the lowest first.
type class uint8

const (
	sheddable class = iota
	ordinary
	critical
	classes
)

func classOf(p transport.Priority) class {
	switch {
	case p < transport.PriorityDefault:
		return sheddable
	case p > transport.PriorityDefault:
		return critical
	}
	return ordinary
}

// verdict says what becomes of a call.
type verdict uint8

const (
	granted  verdict = iota
	full             // There is no room to wait.
	late             // It has waited too long, or would.
	hopeless         // Its deadline would be over.
	pressed          // It is sheddable, and the processor is busy.
	gone             // Its context has ended.
	verdicts
)

// waiter is a call that waits.
type waiter struct {
	class      class
	queued     bool
	since      time.Duration
	verdict    chan verdict // has room for one
	timer      *time.Timer
	prev, next *waiter // older and newer, of its class
}

func newWaiter() *waiter {
	w := &waiter{verdict: make(chan verdict, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

// line is those who wait, a queue for each class.
type line struct {
	len    int
	queues [classes]queue
	waited span // for how long somebody has waited, in all
}

// queue is those of a class who wait.
type queue struct {
	oldest, newest *waiter
	len            int

	wait     time.Duration // how long one may wait
	reversed bool          // whether the newest come next, in place of the oldest
	waited   span          // for how long somebody has waited, in all
	shortest time.Duration // the least that the oldest had waited when one was let in, since this was set
}

// span adds up the time in which something is so.
type span struct {
	sum, since time.Duration
	on         bool
}

func (s *span) set(now time.Duration, on bool) {
	if s.on {
		s.sum += now - s.since
	}
	s.on, s.since = on, now
}

// until returns the sum.
func (s *span) until(now time.Duration) time.Duration {
	s.set(now, s.on)
	return s.sum
}

func (l *line) push(w *waiter) {
	q := &l.queues[w.class]
	if q.len == 0 {
		q.waited.set(w.since, true)
	}
	if l.len == 0 {
		l.waited.set(w.since, true)
	}
	w.queued, w.prev, w.next = true, q.newest, nil
	if q.newest == nil {
		q.oldest = w
	} else {
		q.newest.next = w
	}
	q.newest = w
	q.len++
	l.len++
}

func (l *line) remove(w *waiter, now time.Duration) {
	q := &l.queues[w.class]
	if w.prev == nil {
		q.oldest = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.newest = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
	q.len--
	l.len--
	if q.len == 0 {
		q.waited.set(now, false)
	}
	if l.len == 0 {
		l.waited.set(now, false)
	}
}

// oldest returns since when somebody waits.
func (l *line) oldest() (since time.Duration, ok bool) {
	for i := range l.queues {
		if w := l.queues[i].oldest; w != nil && (!ok || w.since < since) {
			since, ok = w.since, true
		}
	}
	return since, ok
}

// first returns the queue that comes next, nil if nobody waits.
func (l *line) first() *queue {
	for c := int(critical); c >= 0; c-- {
		if q := &l.queues[c]; q.len > 0 {
			return q
		}
	}
	return nil
}

// next returns who comes next, and last who comes last.
func (q *queue) next() *waiter {
	if q.reversed {
		return q.newest
	}
	return q.oldest
}

func (q *queue) last() *waiter {
	if q.reversed {
		return q.oldest
	}
	return q.newest
}

// below returns who comes last of those below c; nil if there are none.
func (l *line) below(c class) *waiter {
	for i := range c {
		if q := &l.queues[i]; q.len > 0 {
			return q.last()
		}
	}
	return nil
}

// ahead returns how many come before a call of that class, if the oldest come first.
func (l *line) ahead(c class) (n int) {
	for ; c < classes; c++ {
		n += l.queues[c].len
	}
	return n
}
