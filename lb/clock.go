package lb

import (
	"sync/atomic"
	"time"
)

// clock is the time of a pool, counted from its beginning. It is safe for concurrent use.
type clock struct {
	start time.Time
	_     [40]byte
	last  atomic.Int64
	_     [56]byte

	inFlight atomic.Int64 // calls of the nodes whose policy wants to know: see Node.count
	_        [56]byte
}

func newClock() *clock { return &clock{start: time.Now()} }

// Now reads the time.
func (c *clock) Now() time.Duration {
	now := time.Since(c.start)
	if int64(now)-c.last.Load() >= int64(grain) { // else each call would take the line from the caches of all other processors
		c.last.Store(int64(now))
	}
	return now
}

// grain is how far Last may be behind Now.
const grain = time.Millisecond / 4

// Last is what Now has returned last, or a quarter of a millisecond before, which costs next to nothing.
func (c *clock) Last() time.Duration { return time.Duration(c.last.Load()) }
