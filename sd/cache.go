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
// that comes later gets the newest set at once, and none waits for another. It is safe for concurrent use.
type Cache struct {
	from   Instancer
	ctx    context.Context
	cancel context.CancelFunc
	once   sync.Once
	done   sync.WaitGroup

	mu      sync.Mutex
	set     []Instance
	sets    int           // how many sets have come
	err     error         // the newest, nil when a set came after it
	errs    int           // how many errors have come
	changed chan struct{} // closed, and made anew, with each of them
}

// NewCache returns the Cache of from. The watch begins with the first consumer, and goes on without any until Close, which is to be
// called. It panics when from is nil.
func NewCache(from Instancer) *Cache {
	if from == nil {
		panic("sd: NewCache: the Instancer is nil")
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Cache{from: from, ctx: ctx, cancel: cancel, changed: make(chan struct{})}
}

// Close ends the watch, and waits until nothing of it remains. The loops of consumers end with ErrClosed. It returns nil.
func (c *Cache) Close() error {
	c.once.Do(func() {}) // from now on nothing is started
	c.cancel()
	c.done.Wait()
	return nil
}

// Watch implements Instancer. After Close it yields ErrClosed and ends.
func (c *Cache) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		c.once.Do(func() { c.done.Go(c.run) })
		var sets, errs int // how many were seen
		for ctx.Err() == nil {
			n := c.news()
			switch {
			case c.ctx.Err() != nil:
				yield(nil, ErrClosed)
				return
			case n.sets > sets:
				sets, errs = n.sets, max(errs, n.errs-n.failing())
				if !yield(n.set, nil) {
					return
				}
			case n.err != nil && n.errs > errs:
				errs = n.errs
				if !yield(nil, n.err) {
					return
				}
			default:
				select {
				case <-n.changed:
				case <-ctx.Done():
				case <-c.ctx.Done():
				}
			}
		}
	}
}

// news is the state of a Cache at one moment.
type news struct {
	set        []Instance
	err        error
	sets, errs int
	changed    <-chan struct{}
}

// failing is 1 when the newest that came is an error.
func (n news) failing() int {
	if n.err != nil {
		return 1
	}
	return 0
}

func (c *Cache) news() news {
	c.mu.Lock()
	defer c.mu.Unlock()
	return news{set: c.set, err: c.err, sets: c.sets, errs: c.errs, changed: c.changed}
}

func (c *Cache) run() {
	for set, err := range c.from.Watch(c.ctx) {
		c.put(set, err)
	}
}

func (c *Cache) put(set []Instance, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.err, c.errs = err, c.errs+1
	case c.sets > 0 && c.err == nil && Same(c.set, set):
		return
	default:
		c.set, c.sets, c.err = set, c.sets+1, nil
	}
	close(c.changed)
	c.changed = make(chan struct{})
}
