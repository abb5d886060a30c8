package driver

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 3 * time.Second // so that a registry that is back is noticed soon
)

// Backoff is a delay that doubles each time, from 100 ms to 3 s, of which half is random, so that those that lost a registry at the same
// moment do not come back at the same. It is for one goroutine.
type Backoff struct{ next time.Duration }

// Wait waits for the delay, or until ctx ends.
func (b *Backoff) Wait(ctx context.Context) {
	b.next = min(max(b.next, firstDelay), maxDelay)
	half := b.next / 2
	timer := time.NewTimer(half + rand.N(half)) //nolint:gosec // no secret
	defer timer.Stop()
	b.next *= 2
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Reset makes the next delay the first.
func (b *Backoff) Reset() { b.next = 0 }
