package basicauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

type sum = [sha256.Size]byte

// cache remembers what was found good, by sums that nobody without its key can make. A nil one remembers nothing.
type cache struct {
	secret [32]byte
	max    int
	ttl    time.Duration

	mu    sync.Mutex
	until map[sum]time.Time
	ring  []sum // in the order that they came, the oldest at next
	next  int
}

func newCache(n int, ttl time.Duration) *cache {
	c := &cache{max: n, ttl: ttl, until: make(map[sum]time.Time)}
	_, _ = rand.Read(c.secret[:]) // which never fails
	return c
}

func (c *cache) key(parts ...string) (s sum) {
	if c == nil {
		return s
	}
	mac := hmac.New(sha256.New, c.secret[:])
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	mac.Sum(s[:0])
	return s
}

func (c *cache) has(s sum) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.until[s])
}

func (c *cache) add(s sum) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, again := c.until[s]
	c.until[s] = time.Now().Add(c.ttl)
	switch {
	case again:
	case len(c.ring) < c.max:
		c.ring = append(c.ring, s)
	default:
		delete(c.until, c.ring[c.next])
		c.ring[c.next] = s
		c.next = (c.next + 1) % c.max
	}
}
