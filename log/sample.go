package log

import (
	"sync"
	"sync/atomic"
	"time"
)

// sampler decides which successes of one endpoint are written, and counts the others.
type sampler struct {
	every   uint64 // 0 is all of them
	count   atomic.Uint64
	dropped atomic.Uint64
	perSec  *window // nil is all of them
}

func newSampler(every uint64, rate int) *sampler {
	s := &sampler{every: every}
	if rate > 0 {
		s.perSec = &window{limit: rate}
	}
	return s
}

// allow reports whether a success is written, or counts it as dropped.
func (s *sampler) allow(now time.Time) bool {
	if s.every > 1 && s.count.Add(1)%s.every != 1 || s.perSec != nil && !s.perSec.allow(now) {
		s.dropped.Add(1)
		return false
	}
	return true
}

// window allows a number of lines in each second that begins with one.
type window struct {
	limit int

	mu    sync.Mutex
	start time.Time
	used  int
}

func (w *window) allow(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.start) >= time.Second {
		w.start, w.used = now, 0
	}
	if w.used == w.limit {
		return false
	}
	w.used++
	return true
}
