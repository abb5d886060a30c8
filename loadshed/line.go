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

// line is those who wait, by class.
type line struct {
	len   int
	lists [classes]struct {
		oldest, newest *waiter
		len            int
	}
}

func (l *line) push(w *waiter) {
	list := &l.lists[w.class]
	w.queued, w.prev, w.next = true, list.newest, nil
	if list.newest == nil {
		list.oldest = w
	} else {
		list.newest.next = w
	}
	list.newest = w
	list.len++
	l.len++
}

func (l *line) remove(w *waiter) {
	list := &l.lists[w.class]
	if w.prev == nil {
		list.oldest = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		list.newest = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
	list.len--
	l.len--
}

// oldest returns who has waited longest, of all classes; nil if nobody waits.
func (l *line) oldest() (oldest *waiter) {
	for i := range l.lists {
		if w := l.lists[i].oldest; w != nil && (oldest == nil || w.since < oldest.since) {
			oldest = w
		}
	}
	return oldest
}

// first returns who comes next: of the highest class, the newest or the oldest.
func (l *line) first(newest bool) *waiter {
	for c := int(critical); c >= 0; c-- {
		if list := &l.lists[c]; list.len > 0 {
			if newest {
				return list.newest
			}
			return list.oldest
		}
	}
	return nil
}

// last returns who comes last of those below c; nil if there are none.
func (l *line) last(newest bool, c class) *waiter {
	for i := range c {
		if list := &l.lists[i]; list.len > 0 {
			if newest {
				return list.oldest
			}
			return list.newest
		}
	}
	return nil
}

// ahead returns how many come before a call of that class, if the oldest come first.
func (l *line) ahead(c class) (n int) {
	for ; c < classes; c++ {
		n += l.lists[c].len
	}
	return n
}
