package lb

import (
	"sync"

	"github.com/ashlar-go/ashlar/sd"
)

// inbox takes what happens to a pool, without making anybody wait for it.
type inbox struct {
	signal chan struct{} // holds one token while there is something

	mu       sync.Mutex
	happened []func()
	set      []sd.Instance // the newest
	fresh    bool          // set was not taken yet
	err      error         // the newest since the set
	closed   bool
}

func newInbox() inbox { return inbox{signal: make(chan struct{}, 1)} }

// post adds something to do.
func (b *inbox) post(f func()) {
	b.mu.Lock()
	if !b.closed {
		b.happened = append(b.happened, f)
	}
	b.mu.Unlock()
	b.wake()
}

// news takes what a watch yields; a set replaces one that was not looked at.
func (b *inbox) news(set []sd.Instance, err error) {
	b.mu.Lock()
	if err != nil {
		b.err = err
	} else {
		b.set, b.fresh, b.err = set, true, nil
	}
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) wake() {
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// take gives what has come of a watch to set and failed, and returns the rest.
func (b *inbox) take(set func([]sd.Instance), failed func(error)) (happened []func()) {
	b.mu.Lock()
	happened, b.happened = b.happened, nil
	newest, fresh, err := b.set, b.fresh, b.err
	b.set, b.fresh, b.err = nil, false, nil
	b.mu.Unlock()
	if fresh {
		set(newest)
	}
	if err != nil {
		failed(err)
	}
	return happened
}

// close drops what comes from now on.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed, b.happened = true, nil
	b.mu.Unlock()
}
