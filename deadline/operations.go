package deadline

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
)

// operations holds one T for each operation and side, however often it is decorated, as it is for each instance in a pool: so it does not
// grow while instances come and go, and what is learned of one serves all.
type operations[T any] struct {
	mu    sync.Mutex
	known map[key]*T
}

type key struct {
	operation string
	side      endpoint.Side
}

// of returns that of the operation.
func (o *operations[T]) of(spec endpoint.Spec) *T {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := key{spec.Operation(), spec.Side}
	if o.known == nil {
		o.known = make(map[key]*T)
	}
	if o.known[k] == nil {
		o.known[k] = new(T)
	}
	return o.known[k]
}

// all yields them, sorted.
func (o *operations[T]) all() iter.Seq2[key, *T] {
	o.mu.Lock()
	known := maps.Clone(o.known)
	o.mu.Unlock()
	sorted := slices.SortedFunc(maps.Keys(known), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.operation, b.operation), cmp.Compare(a.side, b.side))
	})
	return func(yield func(key, *T) bool) {
		for _, k := range sorted {
			if !yield(k, known[k]) {
				return
			}
		}
	}
}

// allowed is what an Allowance knows of an operation.
type allowed struct{ refused atomic.Uint64 }
