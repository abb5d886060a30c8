package lb

import (
	"iter"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/status"
)

// messages are those of a stream both ways, over all of its attempts.
type messages[In, Out any] struct {
	in  iter.Seq2[In, error]
	out func(Out) error

	delivered atomic.Bool // out was called
	own       atomic.Bool // in yielded, or out returned, an error
}

// keep makes in yield its first message as often as it is asked for.
func (m *messages[In, Out]) keep() {
	var (
		once    sync.Once
		message In
		err     error
		some    bool
	)
	in := m.in
	m.in = func(yield func(In, error) bool) {
		once.Do(func() {
			for message, err = range in {
				some = true
				break
			}
		})
		if some {
			yield(message, err)
		}
	}
}

// input is the in of an attempt.
func (m *messages[In, Out]) input(g *gate) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		if !g.enter() {
			var none In
			yield(none, errOver)
			return
		}
		for message, err := range m.in {
			if err != nil {
				m.own.Store(true)
			}
			if !yield(message, err) {
				return
			}
		}
	}
}

// output is the out of an attempt.
func (m *messages[In, Out]) output(message Out) error {
	m.delivered.Store(true)
	err := m.out(message)
	if err != nil {
		m.own.Store(true)
	}
	return err
}

var errOver = status.New(status.Canceled, "the stream has ended")

// gate is between an attempt and what it may have asked for on another goroutine: once it is shut, nothing is.
type gate struct{ state atomic.Int32 }

const (
	gateEntered = 1
	gateShut    = 2
)

func (g *gate) enter() bool { return g.state.CompareAndSwap(0, gateEntered) }

// shut says whether nothing was asked for, and nothing will be.
func (g *gate) shut() bool { return g.state.CompareAndSwap(0, gateShut) }
