package sd_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
)

// turn is what one turn of a loop gets.
type turn struct {
	set []sd.Instance
	err error
}

// source is an Instancer that yields what is put into it, to all of its watches together.
type source struct {
	turns  chan turn
	active atomic.Int32 // watches
	begun  atomic.Int32
}

func newSource() *source { return &source{turns: make(chan turn, 100)} }

func (s *source) set(addresses ...string) { s.turns <- turn{set: set(addresses...)} }
func (s *source) fail(err error)          { s.turns <- turn{err: err} }

func (s *source) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		s.begun.Add(1)
		s.active.Add(1)
		defer s.active.Add(-1)
		for {
			select {
			case <-ctx.Done():
				return
			case t := <-s.turns:
				if ctx.Err() != nil || !yield(t.set, t.err) {
					return
				}
			}
		}
	}
}

// set returns the set of instances with these addresses.
func set(addresses ...string) []sd.Instance {
	all := make([]sd.Instance, len(addresses))
	for n, a := range addresses {
		all[n].Address = a
	}
	return sd.Normalize(all)
}

// loop is one loop over a watch, inside a bubble of synctest.
type loop struct {
	cancel context.CancelFunc
	gate   chan struct{} // when it is not nil, each turn takes one from it

	mu   sync.Mutex
	all  []turn
	over bool
}

func follow(ctx context.Context, from sd.Instancer) *loop { return followWith(ctx, from, nil) }

// followWith begins a loop whose turns wait for gate.
func followWith(ctx context.Context, from sd.Instancer, gate chan struct{}) *loop {
	ctx, cancel := context.WithCancel(ctx)
	l := &loop{cancel: cancel, gate: gate}
	go func() {
		for set, err := range from.Watch(ctx) {
			l.mu.Lock()
			l.all = append(l.all, turn{set, err})
			l.mu.Unlock()
			if gate != nil {
				<-gate
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.over = true
	}()
	return l
}

// want waits until nothing goes on, and compares what the loop got since the last time, sets as addresses with spaces between them.
func (l *loop) want(t *testing.T, want ...any) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	same := len(want) == len(l.all)
	for n := range min(len(want), len(l.all)) {
		switch w := want[n].(type) {
		case error:
			same = same && errors.Is(l.all[n].err, w) && l.all[n].set == nil
		case []sd.Instance:
			same = same && l.all[n].err == nil && sd.Same(w, l.all[n].set)
		default:
			t.Fatalf("cannot compare with %T", w)
		}
	}
	if !same {
		t.Errorf("want %v, have %v", want, l.all)
	}
	l.all = nil
}

// ended waits until nothing goes on, and fails the test if the loop is not over.
func (l *loop) ended(t *testing.T) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		t.Error("the loop goes on")
	}
}

// panics fails the test unless f panics.
func panics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: want a panic", name)
		}
	}()
	f()
}
