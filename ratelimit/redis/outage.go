package redislimit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// outage is a time without Redis.
type outage struct {
	since  time.Time
	reason atomic.Pointer[reason] // what is known last
	alone  tally
}

// reason is why Redis is gone.
type reason struct {
	err  error
	gone error // of a Take, with the text only: a caller's own deadline is something else than one of the limiter
}

func newReason(err error) *reason {
	return &reason{err: err, gone: fmt.Errorf("%w: %s", ErrGone, err.Error())}
}

const (
	// minLook is how long a call that looks for Redis may take at least: it may have to set up a connection, and nobody waits for it.
	minLook = 500 * time.Millisecond
	// calm is how long an outage lasts at least that begins so soon after another, so that a Redis that answers now and then makes no flood
	// of events.
	calm = time.Second
)

// fail begins an outage, unless there is one, since a call for the key has failed with err. A call that began before the end of the last
// outage says nothing about the time after it: then there is none, until a look says so.
func (l *Limiter) fail(err error, key string, ended int64) *outage {
	if ended != l.ended.Load() {
		l.suspect(key)
		return l.outage.Load()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outage.Load() == nil && !l.closed {
		l.look(key) // first, since who is told may panic
		l.begin(err)
	}
	return l.outage.Load()
}

// suspect has somebody look whether Redis answers, when a call has ended without an answer and without blame: callers with less patience
// than the limiter would else all wait for a Redis that hangs, each for its own deadline.
func (l *Limiter) suspect(key string) {
	if l.outage.Load() != nil || time.Since(l.made)-time.Duration(l.looked.Load()) < l.interval {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look(key)
}

// begin begins an outage. It is called with mu held.
func (l *Limiter) begin(err error) {
	o := &outage{since: time.Now()}
	o.reason.Store(newReason(err))
	l.outage.Store(o)
	l.outages.Add(1)
	l.tell(Event{Kind: Gone, Limiter: l.name, Fallback: l.fallback, Err: err})
}

// end ends the outage, if there is one. It is called with mu held.
func (l *Limiter) end() {
	o := l.outage.Load()
	if o == nil {
		return
	}
	l.last = time.Now()
	l.ended.Add(1)
	l.outage.Store(nil)
	l.tell(Event{
		Kind: Back, Limiter: l.name, Fallback: l.fallback, Err: o.reason.Load().err, Lasted: l.last.Sub(o.since), Alone: o.alone.counts(),
	})
}

func (l *Limiter) tell(e Event) {
	for _, told := range l.events {
		told(e)
	}
}

// look begins to look for Redis, until it answers a call for the key, unless somebody does. It is called with mu held.
func (l *Limiter) look(key string) {
	if l.looking || l.closed {
		return
	}
	l.looking = true
	l.looks.Go(func() { l.lookFor(key) })
}

func (l *Limiter) lookFor(key string) {
	timer := time.NewTimer(l.nextLook())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-l.ctx.Done():
			return
		}
		l.looked.Store(int64(time.Since(l.made)))
		if l.found(l.answers(key)) {
			return
		}
		timer.Reset(l.nextLook())
	}
}

// nextLook returns how long to wait before looking: not at all where there is only a suspicion.
func (l *Limiter) nextLook() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.outage.Load()
	switch {
	case o == nil:
		return 0
	case o.since.Sub(l.last) < calm:
		return max(l.interval, calm-time.Since(o.since))
	}
	return l.interval
}

// answers lets Redis decide on a key of its own beside the one for which it did not: so by the same server of a cluster, and by a call that
// writes. The second call is as quick as those of Take must be; the first may set up a connection.
func (l *Limiter) answers(key string) error {
	name := l.keys.probe(key)
	if err := l.write(name, max(l.timeout, minLook)); err != nil {
		return err
	}
	return l.write(name, l.timeout)
}

func (l *Limiter) write(name string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(l.ctx, limit)
	defer cancel()
	_, err := l.looker.take(ctx, name, 1)
	return explain(ctx, limit, err)
}

// found is told what a look has found, and reports whether there is no more to look for.
func (l *Limiter) found(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch o := l.outage.Load(); {
	case l.closed:
		return true
	case err == nil:
		l.end()
		l.looking = false
		return true
	case o == nil:
		l.begin(err)
	case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded): // which say less than what is known
		o.reason.Store(newReason(err))
	}
	return false
}

// Close ends what looks for Redis, and waits for it. After that Take fails. It is harmless to close twice.
func (l *Limiter) Close() {
	if l == nil || l.script == nil {
		return
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.looks.Wait()
}
