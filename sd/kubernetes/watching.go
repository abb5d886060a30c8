package kubediscovery

import (
	"context"
	"maps"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// watching is one watch of an Instancer. It is no Reflector of client-go, which keeps to itself that it cannot connect, waits for its next
// attempt although its context has ended, and leaves the goroutine of a list behind.
type watching struct {
	*Instancer

	delay   driver.Backoff // after watches that did not last
	brief   bool           // the last did not
	changed chan struct{}  // holds a token while known has news

	mu    sync.Mutex
	known map[string]*discoveryv1.EndpointSlice // by name
}

// read is a driver.Read. While a set is taken, which may be long, another goroutine goes on following the EndpointSlices, so that what is
// taken next is the newest, and the API server need not wait.
func (w *watching) read(ctx context.Context, feed *driver.Feed) error {
	ctx, cancel := context.WithCancel(ctx)
	failed := make(chan error, 1)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { failed <- w.follow(ctx) })
	for {
		select {
		case <-w.changed:
			if !w.feed(feed) {
				return nil
			}
		case err := <-failed:
			select {
			case <-w.changed: // before it failed
				w.feed(feed)
			default:
			}
			return err
		}
	}
}

// feed gives what is known now.
func (w *watching) feed(feed *driver.Feed) bool {
	w.mu.Lock()
	known := maps.Clone(w.known)
	w.mu.Unlock()
	set, invalid := w.config.instances(known)
	return feed.Set(set, invalid...)
}

// replace makes these all that are known.
func (w *watching) replace(all map[string]*discoveryv1.EndpointSlice) {
	w.mu.Lock()
	w.known = all
	w.mu.Unlock()
	w.wake()
}

func (w *watching) put(slice *discoveryv1.EndpointSlice) {
	w.mu.Lock()
	w.known[slice.Name] = slice
	w.mu.Unlock()
	w.wake()
}

func (w *watching) remove(name string) {
	w.mu.Lock()
	delete(w.known, name)
	w.mu.Unlock()
	w.wake()
}

func (w *watching) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}
