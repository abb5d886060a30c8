package httptransport

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

const (
	// aheadSize is how much of what a client sends is read before it is asked for.
	aheadSize = 64 << 10
	// aheadStep is how much room there is for one read at least.
	aheadStep = 4 << 10
	// unreadLimit is how long what a client sends may wait for a stream that reads none of it, when there is no room for more. Whether
	// the client is still there cannot be told meanwhile.
	unreadLimit = time.Minute
)

var errUnread = status.Errorf(status.ResourceExhausted, "what the client sent was not read within %v", unreadLimit)

// readAhead reads on a goroutine of its own, so that the end of a connection is noticed while nobody asks for more.
type readAhead struct {
	done   chan struct{}           // closed when the goroutine has ended
	cancel context.CancelCauseFunc // ends the stream

	mu      sync.Mutex
	changed sync.Cond
	buf     []byte // what has come; the goroutine may be reading into the room behind it
	taken   int    // of buf
	err     error  // what comes after buf
	dropped bool   // nobody wants what comes
	stopped bool
}

// newReadAhead reads r. It calls cancel when there is an error that is not the end, and when nobody takes what was read.
func newReadAhead(r io.Reader, cancel context.CancelCauseFunc) *readAhead {
	a := &readAhead{done: make(chan struct{}), cancel: cancel}
	a.changed.L = &a.mu
	go func() {
		defer close(a.done)
		err := a.fill(r)
		if err != io.EOF && !a.isStopped() { //nolint:errorlint // a Reader returns io.EOF itself
			cancel(errGone.WithCause(err))
		}
		a.fail(err)
	}()
	return a
}

func (a *readAhead) fill(r io.Reader) error {
	for {
		room := a.room()
		if room == nil {
			return uplink.ErrStopped
		}
		n, err := r.Read(room)
		a.mu.Lock()
		a.buf = a.buf[:len(a.buf)+n]
		a.changed.Broadcast()
		a.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// room waits until there is room for more, and returns it; nil when nobody wants more.
func (a *readAhead) room() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.full() {
		timer := time.AfterFunc(unreadLimit, func() { a.cancel(errUnread) })
		for a.full() {
			a.changed.Wait()
			timer.Reset(unreadLimit)
		}
		timer.Stop()
	}
	if a.stopped {
		return nil
	}
	if a.dropped {
		a.taken = len(a.buf)
	}
	a.buf = a.buf[:copy(a.buf, a.buf[a.taken:])]
	a.taken = 0
	if cap(a.buf)-len(a.buf) < aheadStep {
		grown := make([]byte, len(a.buf), min(max(2*cap(a.buf), aheadStep), aheadSize)+aheadStep)
		copy(grown, a.buf)
		a.buf = grown
	}
	return a.buf[len(a.buf):cap(a.buf)]
}

func (a *readAhead) full() bool { return len(a.buf)-a.taken >= aheadSize && !a.stopped && !a.dropped }

// Read implements io.Reader.
func (a *readAhead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.buf) == a.taken && a.err == nil {
		a.changed.Wait()
	}
	if len(a.buf) == a.taken {
		return 0, a.err
	}
	n := copy(p, a.buf[a.taken:])
	a.taken += n
	a.changed.Broadcast()
	return n, nil
}

// touch says that what has been read is not forgotten, though some of it stands in a buffer of whoever calls Read.
func (a *readAhead) touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed.Broadcast()
}

// fail makes err what comes after what has been read already.
func (a *readAhead) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
	a.changed.Broadcast()
}

// drop makes the goroutine read on without keeping what comes.
func (a *readAhead) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropped = true
	a.changed.Broadcast()
}

// stop ends the goroutine, whose read unblock ends, and waits for it.
func (a *readAhead) stop(unblock func()) {
	a.mu.Lock()
	a.stopped = true
	a.changed.Broadcast()
	a.mu.Unlock()
	if !a.isDone() {
		unblock()
	}
	<-a.done
}

func (a *readAhead) isDone() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (a *readAhead) isStopped() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped
}
