package natstransport

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// maxIdle is how many goroutines of a server are kept that have nothing to do. Their stacks have grown to what a request needs.
const maxIdle = 32

// workers are the goroutines that serve the requests of one server. The goroutine on which NATS delivers is never blocked, and
// never calls what might block. One worker is woken at a time, and wakes the next one before it serves if there is more to do: so a
// request never waits for one that takes long, and quick ones are served by few goroutines.
type workers struct {
	serve func(*nats.Msg)
	limit int

	mu       sync.Mutex
	wakened  sync.Cond
	ring     []*nats.Msg // those that wait: count of them, from head on
	head     int
	count    int
	inFlight int  // those that wait, and those that are served
	waking   bool // a worker has been woken, and has not looked yet
	idle     int
	live     int           // goroutines
	closed   bool          // no more is taken
	done     chan struct{} // closed when closed and no goroutine is left
}

func newWorkers(limit int, serve func(*nats.Msg)) *workers {
	const small = 64
	w := &workers{serve: serve, limit: limit, ring: make([]*nats.Msg, min(limit, small)), done: make(chan struct{})}
	w.wakened.L = &w.mu
	return w
}

// put hands over a message. It reports false when there are as many as there may be, or after close.
func (w *workers) put(m *nats.Msg) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inFlight >= w.limit || w.closed {
		return false
	}
	w.inFlight++
	if w.count == len(w.ring) {
		grown := make([]*nats.Msg, min(2*len(w.ring), w.limit))
		n := copy(grown, w.ring[w.head:])
		copy(grown[n:], w.ring[:w.head])
		w.ring, w.head = grown, 0
	}
	w.ring[(w.head+w.count)%len(w.ring)] = m
	w.count++
	w.wake()
	return true
}

// wake sees to it that a worker will look.
func (w *workers) wake() {
	if w.waking {
		return
	}
	w.waking = true
	if w.idle > 0 {
		w.wakened.Signal()
		return
	}
	w.live++
	go w.work()
}

func (w *workers) work() {
	serving := false
	w.mu.Lock()
	defer func() {
		if serving { // what was served ended the goroutine
			w.mu.Lock()
			w.inFlight--
		}
		w.live--
		w.settle()
		w.mu.Unlock()
	}()
	for {
		w.idle++
		for !w.waking && !w.closed {
			w.wakened.Wait()
		}
		w.idle--
		w.waking = false
		for w.count > 0 {
			m := w.ring[w.head]
			w.ring[w.head] = nil
			w.head = (w.head + 1) % len(w.ring)
			if w.count--; w.count > 0 {
				w.wake()
			}
			w.mu.Unlock()
			serving = true
			w.serve(m)
			serving = false
			w.mu.Lock()
			w.inFlight--
		}
		if w.closed || w.idle >= maxIdle {
			return
		}
	}
}

// settle closes done when all has ended.
func (w *workers) settle() {
	if w.closed && w.live == 0 && w.inFlight == 0 {
		select {
		case <-w.done:
		default:
			close(w.done)
		}
	}
}

// close lets the workers end when they have served what was taken. Done is closed then.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wakened.Broadcast()
	w.settle()
}
