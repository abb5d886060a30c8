package loadshed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// MaxLimit is how many calls may be in progress, or wait, at most, whatever the options say.
const MaxLimit = 1<<20 - 1

// The parts of the word of a gate: how many calls are in progress, how many wait, and how many have ended, which wraps around. One word,
// so that a call that begins to wait and one that ends cannot miss each other.
const (
	oneInProgress = 1
	oneWaiting    = 1 << 20
	oneEnded      = 1 << 40
)

type word uint64

func (w word) inProgress() int { return int(w & MaxLimit) }
func (w word) waiting() int    { return int(w >> 20 & MaxLimit) }
func (w word) ended() uint32   { return uint32(w >> 40) } // 24 bits

// gate lets a limited number of calls pass at a time, and makes others wait in a line. The fields below mu belong to who holds it.
type gate struct {
	word atomic.Uint64
	_    [56]byte // what follows is read by each call, and seldom written

	limit   atomic.Int64
	useless atomic.Uint64 // calls that have ended, and not come to a useful end
	start   time.Time
	_       [32]byte
	mu      sync.Mutex
	line    line
	room    int     // how many may wait
	free    *waiter // those that can be used again
}

func (g *gate) now() time.Duration { return time.Since(g.start) }

// enter lets a call in at once, if there is room and nobody waits for it.
func (g *gate) enter() (word, bool) {
	for {
		w := word(g.word.Load())
		if w.waiting() > 0 || int64(w.inProgress()) >= g.limit.Load() {
			return w, false
		}
		if g.word.CompareAndSwap(uint64(w), uint64(w+oneInProgress)) {
			return w, true
		}
	}
}

// exit ends a call, and reports whether others wait for its place: then dispatch is to be called.
func (g *gate) exit(useful bool) bool {
	if !useful {
		g.useless.Add(1)
	}
	return word(g.word.Add(oneEnded-oneInProgress)).waiting() > 0
}

// join puts a call into the line. The caller holds mu, and calls dispatch.
func (g *gate) join(now time.Duration, c class) *waiter {
	g.word.Add(oneWaiting)
	w := g.free
	if w == nil {
		w = newWaiter()
	} else {
		g.free = w.next
	}
	w.class, w.since = c, now
	g.line.push(w)
	return w
}

// dispatch lets in those for whom there is room, and sends away those who have waited too long. The caller holds mu.
func (g *gate) dispatch(now time.Duration) {
	for i := range g.line.queues {
		q := &g.line.queues[i]
		for q.len > 0 && now-q.oldest.since > q.wait {
			g.settle(now, q.oldest, late)
		}
	}
	for g.line.len > 0 && int64(word(g.word.Load()).inProgress()) < g.limit.Load() {
		q := g.line.first()
		q.shortest = min(q.shortest, now-q.oldest.since)
		g.settle(now, q.next(), granted)
	}
}

// settle takes w out of the line with a verdict. The caller holds mu.
func (g *gate) settle(now time.Duration, w *waiter, v verdict) {
	if v == granted {
		g.word.Add(^uint64(oneWaiting - oneInProgress - 1)) // minus the difference
	} else {
		g.word.Add(^uint64(oneWaiting - 1))
	}
	g.line.remove(w, now)
	if v != gone {
		w.verdict <- v
	}
}

// await waits for the verdict on w, for no longer than limit and until ctx ends.
func (g *gate) await(ctx context.Context, w *waiter, limit time.Duration) verdict {
	w.timer.Reset(limit)
	v := late
	select {
	case v = <-w.verdict:
		w.timer.Stop()
		g.mu.Lock()
		g.recycle(w)
		g.mu.Unlock()
		return v
	case <-ctx.Done():
		v = gone
	case <-w.timer.C:
	}
	w.timer.Stop()
	return g.abandon(w, v)
}

// abandon takes w out of the line, for the reason v, if nothing else has become of it meanwhile.
func (g *gate) abandon(w *waiter, v verdict) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.recycle(w)
	if w.queued {
		g.settle(g.now(), w, gone)
		return v
	}
	if other := <-w.verdict; v == late || other != granted { // at the same time
		return other
	}
	if g.exit(false) {
		g.dispatch(g.now())
	}
	return gone
}

// leave gives back a place that was not used.
func (g *gate) leave() {
	if g.exit(false) {
		g.mu.Lock()
		g.dispatch(g.now())
		g.mu.Unlock()
	}
}

// recycle keeps w for another call. The caller holds mu.
func (g *gate) recycle(w *waiter) { w.next, g.free = g.free, w }
