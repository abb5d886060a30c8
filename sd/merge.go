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
// are passed on; the others go on. An empty set is yielded only when each of them has yielded a set, since one that cannot be reached says
// nothing. It panics when one is nil.
func Merge(from ...Instancer) Instancer {
	if slices.Contains(from, nil) {
		panic("sd: Merge: an Instancer is nil")
	}
	return merge(slices.Clone(from))
}

// Watch implements Instancer.
func (m merge) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		if ctx.Err() != nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		w := &merging{board: newBoard(), sets: make([][]Instance, len(m)), unknown: len(m)}
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
		if len(m) == 0 {
			w.board.put([]Instance{}, nil)
		}
		w.board.read(ctx, context.Background(), yield)
	}
}

// merging is one watch of a merge.
type merging struct {
	board *board

	mu      sync.Mutex
	sets    [][]Instance // what each has yielded last, nil before the first
	unknown int          // how many have yielded none
}

// put notes what the nth has yielded.
func (w *merging) put(n int, set []Instance, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.board.put(nil, err)
		return
	}
	if w.sets[n] == nil {
		w.unknown--
	}
	w.sets[n] = append(make([]Instance, 0, len(set)), set...)
	if all := Normalize(slices.Concat(w.sets...)); len(all) > 0 || w.unknown == 0 {
		w.board.put(all, nil)
	}
}
