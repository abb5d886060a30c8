package loadshed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// MaxLimit is how many calls may be in progress, or wait, at most, whatever the options say.
const MaxLimit = 1<<20 - 1

// The parts of the word of a gate: how many calls are in progress, how many wait, and how many have ended, which wraps around. One word, so
// that a call that begins to wait and one that ends cannot miss each other.
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
	newest  bool          // whether the newest of those that wait comes next, in place of the oldest
	wait    time.Duration // how long one may wait
	room    int           // how many may
	free    *waiter       // those that can be used again

	busy     time.Duration // for how long somebody has waited, in all, until since
	since    time.Duration // since when somebody waits
	emptied  bool          // whether nobody has waited at a time since this was set to false
	shortest time.Duration // the least that the oldest had waited when one was let in, since this was set
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
	if g.line.len == 0 {
		g.since = now
	}
	g.line.push(w)
	return w
}

// dispatch lets in those for whom there is room, and sends away those who have waited too long. The caller holds mu.
func (g *gate) dispatch(now time.Duration) {
	for g.line.len > 0 {
		oldest := g.line.oldest()
		if age := now - oldest.since; age > g.wait {
			g.settle(now, oldest, late)
			continue
		}
		if int64(word(g.word.Load()).inProgress()) >= g.limit.Load() {
			return
		}
		g.shortest = min(g.shortest, now-oldest.since)
		g.settle(now, g.line.first(g.newest), granted)
	}
}

// settle takes w out of the line with a verdict. The caller holds mu.
func (g *gate) settle(now time.Duration, w *waiter, v verdict) {
	if v == granted {
		g.word.Add(^uint64(oneWaiting - oneInProgress - 1))
	} else {
		g.word.Add(^uint64(oneWaiting - 1))
	}
	g.line.remove(w)
	if g.line.len == 0 {
		g.busy += now - g.since
		g.emptied = true
	}
	if v != gone {
		w.verdict <- v
	}
}

// waited returns for how long somebody has waited, in all. The caller holds mu.
func (g *gate) waited(now time.Duration) time.Duration {
	if g.line.len == 0 {
		return g.busy
	}
	return g.busy + now - g.since
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

// recycle keeps w for another call. The caller holds mu.
func (g *gate) recycle(w *waiter) { w.next, g.free = g.free, w }
