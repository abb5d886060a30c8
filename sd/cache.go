package sd

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// ErrClosed is the last error of a watch of a Cache that was closed.
var ErrClosed = errors.New("sd: the cache is closed")

// Cache is an Instancer that shares one watch of another: the registry is asked once, however many consumers there are. A consumer
// that comes later gets the newest set at once, or else the newest error, and none waits for another. One that is busy misses sets,
// as with any Instancer, and of the errors meanwhile all but the last 16. It is safe for concurrent use.
type Cache struct {
	from   Instancer
	ctx    context.Context
	cancel context.CancelCauseFunc
	once   sync.Once
	done   sync.WaitGroup
	board  *board
}

// NewCache returns the Cache of from. The watch begins with the first consumer, and goes on without any until Close, which is to be
// called. It panics when from is nil.
func NewCache(from Instancer) *Cache {
	if from == nil {
		panic("sd: NewCache: the Instancer is nil")
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Cache{from: from, ctx: ctx, cancel: cancel, board: newBoard()}
}

// Close ends the watch, and waits until nothing of it remains. The loops of consumers end with ErrClosed: they are not waited for, so that
// Close may be called in one of them. It returns nil.
func (c *Cache) Close() error {
	c.once.Do(func() {}) // from now on nothing is started
	c.cancel(ErrClosed)
	c.done.Wait()
	return nil
}

// Watch implements Instancer. After Close it yields ErrClosed and ends.
func (c *Cache) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		if ctx.Err() != nil {
			return
		}
		c.once.Do(func() { c.done.Go(c.run) })
		c.board.read(ctx, c.ctx, yield)
	}
}

func (c *Cache) run() {
	for set, err := range c.from.Watch(c.ctx) {
		c.board.put(set, err)
	}
}
