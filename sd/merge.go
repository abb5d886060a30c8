package sd

import (
	"context"
	"iter"
	"slices"
	"sync"
)

type merge []Instancer

// Merge is the Instancer of the instances of all of the given ones, as of a service that moves from one registry to another. Of two
// instances with one ID or one address that of the earlier Instancer remains. While one of them fails its last set stays, and its errors
// are passed on; the others go on. An empty set is yielded only when each of them has said something. It panics when one is nil.
func Merge(from ...Instancer) Instancer {
	if slices.Contains(from, nil) {
		panic("sd: Merge: an Instancer is nil")
	}
	return merge(slices.Clone(from))
}

// Watch implements Instancer.
func (m merge) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		w := &merging{sources: make([]source, len(m)), changed: make(chan struct{}, 1)}
		var group sync.WaitGroup
		defer group.Wait()
		defer cancel()
		for n, from := range m {
			group.Go(func() {
				for set, err := range from.Watch(ctx) {
					w.put(n, set, err)
				}
			})
		}
		w.wake() // without sources there is an empty set to yield
		w.run(ctx, yield)
	}
}

// merging is one watch of a merge.
type merging struct {
	changed chan struct{} // holds one token while sources has news

	mu      sync.Mutex
	sources []source
}

// source is what one Instancer has said last.
type source struct {
	set    []Instance
	err    error // not yielded yet
	said   bool
	failed bool // the last that it said is an error
	back   bool // it was, and the set that came then was not yielded yet
}

func (w *merging) put(n int, set []Instance, err error) {
	w.mu.Lock()
	s := &w.sources[n]
	s.said, s.err = true, err
	if err == nil {
		s.set = set
		s.back = s.failed
	}
	s.failed = err != nil
	w.mu.Unlock()
	w.wake()
}

func (w *merging) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// run yields what is new until ctx ends or the loop is left.
func (w *merging) run(ctx context.Context, yield func([]Instance, error) bool) {
	var (
		last  []Instance
		known bool
	)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		}
		set, state, errs := w.take()
		for _, err := range errs {
			if !yield(nil, err) {
				return
			}
		}
		if known && !state.back && Same(last, set) || len(set) == 0 && !state.complete {
			continue
		}
		if ctx.Err() != nil || !yield(set, nil) {
			return
		}
		last, known = set, true
	}
}

type mergeState struct {
	complete bool // all sources have said something
	back     bool // one of them has a set after an error
}

// take returns the union of what is known, and the errors that were not yielded yet.
func (w *merging) take() (set []Instance, state mergeState, errs []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	state.complete = true
	for n := range w.sources {
		s := &w.sources[n]
		state.complete = state.complete && s.said
		state.back = state.back || s.back
		s.back = false
		set = append(set, s.set...)
		if s.err != nil {
			errs = append(errs, s.err)
			s.err = nil
		}
	}
	return Normalize(set), state, errs
}
