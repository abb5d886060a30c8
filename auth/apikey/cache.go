package apikeyauth

import (
	"sync"
	"time"
)

// cache remembers records whose key has been shown. A nil one remembers nothing.
type cache struct {
	max int
	ttl time.Duration

	mu    sync.RWMutex
	known map[string]kept
	ring  []string // in the order that they came, the oldest at next
	next  int
}

type kept struct {
	record Record
	until  time.Time
}

func newCache(n int, ttl time.Duration) *cache {
	return &cache{max: n, ttl: ttl, known: make(map[string]kept)}
}

func (c *cache) get(id string, now time.Time) (Record, bool) {
	if c == nil {
		return Record{}, false
	}
	c.mu.RLock()
	k := c.known[id]
	c.mu.RUnlock()
	return k.record, k.record.ID != "" && now.Before(k.until)
}

// add remembers what the store was asked for at that time, unless it has been asked again since.
func (c *cache) add(r Record, asked time.Time) {
	if c == nil {
		return
	}
	until := asked.Add(c.ttl)
	c.mu.Lock()
	defer c.mu.Unlock()
	k, again := c.known[r.ID]
	if again && k.until.After(until) {
		return
	}
	c.known[r.ID] = kept{r, until}
	switch {
	case again:
	case len(c.ring) < c.max:
		c.ring = append(c.ring, r.ID)
	default:
		delete(c.known, c.ring[c.next])
		c.ring[c.next] = r.ID
		c.next = (c.next + 1) % c.max
	}
}

// drop ends what is remembered of an id.
func (c *cache) drop(id string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k, has := c.known[id]; has {
		c.known[id] = kept{until: k.until}
	}
}

// uses are when keys were last used. A nil one knows of none.
type uses struct {
	max int

	mu   sync.Mutex
	last map[string]time.Time
}

func (u *uses) add(id string, now time.Time) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = make(map[string]time.Time)
	}
	if _, again := u.last[id]; again || len(u.last) < u.max {
		u.last[id] = now
	}
}

func (u *uses) take() map[string]time.Time {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.last
	u.last = nil
	return last
}
