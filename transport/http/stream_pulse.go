package httptransport

import (
	"sync"
	"sync/atomic"
	"time"
)

// pulse is the one timer of a stream. While a write is in progress it sees to it that this ends; while none is, it beats.
type pulse struct {
	every time.Duration // between beats of a silent stream; 0 for none
	beat  func()        // may run while a write begins
	cut   func()        // ends a write that takes too long; called once at most, and not after stop

	began   time.Time
	writing atomic.Int64 // when the write in progress began, since began; 0 for none
	last    atomic.Int64 // when the last one did

	mu      sync.Mutex
	limit   time.Duration // of a write
	timer   *time.Timer
	stopped bool
	stalled bool // cut was called
}

// start starts the timer, which first beats after the first.
func (p *pulse) start(first time.Duration) {
	p.began = time.Now()
	p.last.Store(int64(first - p.every))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.next(0), p.fire)
}

func (p *pulse) since() int64 { return int64(time.Since(p.began)) | 1 }

// enter is called before a write, leave after it.
func (p *pulse) enter() { p.writing.Store(p.since()) }

func (p *pulse) leave() {
	p.last.Store(p.writing.Load())
	p.writing.Store(0)
}

// next returns how long to wait before the next look, for a silent stream.
func (p *pulse) next(now int64) time.Duration {
	next := p.limit / 2
	if p.every > 0 {
		next = min(next, p.every-time.Duration(now-p.last.Load()))
	}
	return max(next, time.Millisecond)
}

func (p *pulse) fire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.stalled {
		return
	}
	now := p.since()
	if at := p.writing.Load(); at != 0 {
		age := time.Duration(now - at)
		if age >= p.limit {
			p.stalled = true
			p.cut()
			return
		}
		p.timer.Reset(p.limit - age)
		return
	}
	if p.every > 0 && time.Duration(now-p.last.Load()) >= p.every {
		p.last.Store(now)
		defer p.unlocked(p.beat)
	}
	p.timer.Reset(p.next(now))
}

// unlocked calls f without the lock.
func (p *pulse) unlocked(f func()) {
	p.mu.Unlock()
	defer p.mu.Lock()
	f()
}

// hurry gives a write no longer than limit from now on, the one in progress included.
func (p *pulse) hurry(limit time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped && !p.stalled && limit < p.limit {
		p.limit = limit
		p.timer.Reset(limit)
	}
}

// stop ends the timer. A beat may still be running.
func (p *pulse) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
}
