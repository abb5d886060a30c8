package httptransport

import (
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

// frame is a message that a WebSocket brought.
type frame struct {
	buf *buffer.Buffer
	typ websocket.MessageType
}

// cost is what the frame holds of memory: the buffer of an empty one has room, too.
func (f frame) cost() int {
	const least = 1 << 10
	return max(len(f.buf.B), least)
}

// inbox holds the frames that have been read from a WebSocket and not been asked for yet, so that pongs behind them are seen, and the end
// of the connection. When it is full whoever reads the connection waits.
type inbox struct {
	mu      sync.Mutex
	changed sync.Cond
	frames  []frame
	size    int
	err     error  // what comes after the frames
	closed  bool   // nobody takes frames any more
	stalls  int    // how often it was full
	waiting bool   // it is full now
	overdue func() // called when it has been full for unreadLimit
}

func newInbox(overdue func()) *inbox {
	b := &inbox{overdue: overdue}
	b.changed.L = &b.mu
	return b
}

// put adds a frame, which is the inbox's from then on.
func (b *inbox) put(f frame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fullFor(f) {
		b.stalls++
		b.waiting = true
		timer := time.AfterFunc(unreadLimit, b.overdue)
		for b.fullFor(f) && b.open() {
			b.changed.Wait()
			timer.Reset(unreadLimit)
		}
		timer.Stop()
		b.waiting = false
	}
	if !b.open() {
		f.buf.Free()
		return
	}
	b.frames = append(b.frames, f)
	b.size += f.cost()
	b.changed.Broadcast()
}

func (b *inbox) fullFor(f frame) bool { return b.size > 0 && b.size+f.cost() > aheadSize }

func (b *inbox) open() bool { return b.err == nil && !b.closed }

// take returns the next frame, whose buffer the caller frees, or what comes after all frames.
func (b *inbox) take() (frame, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.frames) == 0 && b.open() {
		b.changed.Wait()
	}
	if len(b.frames) == 0 || b.closed {
		return frame{}, b.err
	}
	f := b.frames[0]
	b.frames[0] = frame{}
	b.frames = b.frames[1:]
	b.size -= f.cost()
	b.changed.Broadcast()
	return f, nil
}

// end makes err what comes after the frames.
func (b *inbox) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.changed.Broadcast()
}

// close drops the frames, and those that are still to come.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.err == nil {
		b.err = uplink.ErrStopped
	}
	for _, f := range b.frames {
		f.buf.Free()
	}
	b.frames, b.size = nil, 0
	b.changed.Broadcast()
}

// stalled returns how often the inbox was full, and whether it is.
func (b *inbox) stalled() (times int, now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stalls, b.waiting
}
