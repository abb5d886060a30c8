package deadline

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// slots is how many parts a window has. The oldest is forgotten when a new one begins.
const slots = 10

// none is the minimum of no samples.
const none = math.MaxInt64

// minimum is the smallest of the samples of the last window. A sample that changes nothing writes nothing, so that many processors may take
// samples at a time. It does not allocate.
type minimum struct {
	past    atomic.Int64 // the smallest of the parts before the current; none without samples
	current atomic.Int64
	counts  atomic.Int64 // samples in the current part, which are not counted further when there are enough of them
	known   atomic.Bool  // there were enough, with those of the parts before
	until   atomic.Int64 // when the current part ends; 0 before the first sample

	mu    sync.Mutex
	parts [slots]part
	place int // where the current part will stand; the next is the oldest
}

// part is what is kept of a part of the window that is over.
type part struct{ least, count int64 }

// at returns the minimum of the window that ends now, and whether there were enough samples.
func (m *minimum) at(now time.Duration, window time.Duration, enough int64) (least time.Duration, known bool) {
	if !m.known.Load() { // which a new sample alone changes
		return 0, false
	}
	if int64(now) >= m.until.Load() {
		m.turn(now, window, enough)
		if !m.known.Load() {
			return 0, false
		}
	}
	return time.Duration(min(m.past.Load(), m.current.Load())), true
}

// observe adds a sample.
func (m *minimum) observe(now, took time.Duration, window time.Duration, enough int64) {
	if int64(now) >= m.until.Load() {
		m.turn(now, window, enough)
	}
	for least := m.current.Load(); int64(took) < least && !m.current.CompareAndSwap(least, int64(took)); {
		least = m.current.Load()
	}
	if m.counts.Load() >= enough {
		return
	}
	if m.counts.Add(1) >= enough || !m.known.Load() {
		m.mu.Lock()
		m.count(enough)
		m.mu.Unlock()
	}
}

// turn begins the part of the window that now is in.
func (m *minimum) turn(now time.Duration, window time.Duration, enough int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until := m.until.Load()
	if int64(now) < until {
		return // somebody else has
	}
	length := int64(window) / slots
	passed := min((int64(now)-until)/length+1, slots)
	if until == 0 { // nothing was before, and current is not set
		passed = slots
	} else {
		m.parts[m.place] = part{least: m.current.Load(), count: m.counts.Load()}
	}
	for range passed {
		m.place = (m.place + 1) % slots
		m.parts[m.place] = part{least: none}
	}
	least := int64(none)
	for _, p := range m.parts {
		least = min(least, p.least)
	}
	m.past.Store(least)
	m.current.Store(none)
	m.counts.Store(0)
	m.count(enough)
	m.until.Store((int64(now)/length + 1) * length)
}

// count notes whether there are enough samples. It is called with the mutex held.
func (m *minimum) count(enough int64) {
	m.known.Store(m.samples() >= enough)
}

// samples is how many of them the window has, as far as they are counted. It is called with the mutex held.
func (m *minimum) samples() int64 {
	n := m.counts.Load()
	for _, p := range m.parts {
		n += p.count
	}
	return n
}
