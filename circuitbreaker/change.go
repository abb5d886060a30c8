package circuitbreaker

import (
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// ID says which breaker it is.
type ID struct {
	Operation string // Spec.Operation of the endpoint
	Side      endpoint.Side
	Instance  string // that of Breakers.Instance, else empty
	Key       string // that Key has returned, else empty
	Priority  transport.Priority
}

// Change is one of the state of a breaker, for logs and metrics.
type Change struct {
	ID       ID
	From, To State
}

// changes hands on what has changed. A breaker may say so while it is locked, so it is handed on when a call has left it.
type changes struct {
	told []func(Change)
	some atomic.Bool // there is something in the queue

	mu     sync.Mutex
	queue  []Change
	giving bool // somebody is about to empty it
}

// add notes a change.
func (c *changes) add(change Change) {
	if len(c.told) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, change)
	c.some.Store(true)
}

// give tells of what has changed, in the order in which it has, if nobody else is about to.
func (c *changes) give() {
	if c.some.Load() {
		c.giveAll()
	}
}

func (c *changes) giveAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.giving {
		return
	}
	c.giving = true
	defer func() { c.giving = false }()
	for len(c.queue) > 0 {
		change := c.queue[0]
		c.queue = c.queue[1:]
		c.some.Store(len(c.queue) > 0)
		c.tell(change)
	}
	c.queue = nil
}

// tell unlocks while it tells, so that whoever is told may use the Breakers. All are told, even if one panics.
func (c *changes) tell(change Change) {
	c.mu.Unlock()
	defer c.mu.Lock()
	tellAll(c.told, change)
}

func tellAll(all []func(Change), change Change) {
	if len(all) == 0 {
		return
	}
	defer tellAll(all[1:], change)
	all[0](change)
}
