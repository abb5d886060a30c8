package loadshed

import (
	"sync"
	"sync/atomic"
	"time"
)

// tickets makes the functions that Acquire returns, and uses them again.
type tickets struct{ free sync.Pool }

// finisher is what a call is a call of.
type finisher interface {
	finish(began time.Duration, err error)
}

// ticket is a call that has begun.
type ticket struct {
	from  *tickets
	of    finisher
	began time.Duration
	open  atomic.Bool
	done  func(error) // end, made once
}

func (p *tickets) take(of finisher, began time.Duration) (done func(error)) {
	t, ok := p.free.Get().(*ticket)
	if !ok {
		t = &ticket{from: p, of: of}
		t.done = t.end
	}
	t.began = began
	t.open.Store(true)
	return t.done
}

func (t *ticket) end(err error) {
	if !t.open.CompareAndSwap(true, false) {
		return // it was called twice
	}
	began := t.began
	t.from.free.Put(t)
	t.of.finish(began, err)
}
