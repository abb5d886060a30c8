package sd

import (
	"context"
	"sync"
)

// maxErrors is how many errors a board keeps for readers that are busy.
const maxErrors = 16

// board holds what there is to be yielded, in the order in which it came: the newest set, and the newest errors before and after it. Any
// number of readers follow it, each as fast as it likes.
type board struct {
	mu      sync.Mutex
	last    int           // the number of the newest notice, counted from 1
	set     notice        // its number is 0 as long as there is none
	errs    []notice      // the oldest first
	changed chan struct{} // closed, and made anew, with each notice
}

// notice is one set or error.
type notice struct {
	number int
	set    []Instance
	err    error
}

func newBoard() *board { return &board{changed: make(chan struct{})} }

// put puts a set or an error on the board, unless it is the set that is there, with no error since.
func (b *board) put(set []Instance, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && b.set.number > 0 && b.set.number == b.last && Same(b.set.set, set) {
		return
	}
	b.last++
	n := notice{number: b.last, set: set, err: err}
	switch {
	case err == nil:
		b.set = n
	case len(b.errs) < maxErrors:
		b.errs = append(b.errs, n)
	default:
		b.errs = append(b.errs[:0], b.errs[1:]...)
		b.errs = append(b.errs, n)
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// begin returns the number of the notice after which a new reader begins, which is to get the newest set and the errors since, or else the
// newest error.
func (b *board) begin() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set.number > 0 {
		return b.set.number - 1
	}
	return max(b.last-1, 0)
}

// next returns the first notice after that number, without a number when there is none before changed is closed.
func (b *board) next(number int) (first notice, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set.number > number {
		first = b.set
	}
	for _, n := range b.errs {
		if n.number > number {
			if first.number == 0 || n.number < first.number {
				first = n
			}
			break
		}
	}
	return first, b.changed
}

// read yields what is on the board, and what comes, until ctx or over ends or yield returns false. Over makes the last error.
func (b *board) read(ctx, over context.Context, yield func([]Instance, error) bool) {
	var (
		at    = b.begin()
		set   []Instance
		known bool // set was yielded, and no error since
	)
	for ctx.Err() == nil {
		if over.Err() != nil {
			yield(nil, context.Cause(over))
			return
		}
		n, changed := b.next(at)
		if n.number == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
			case <-over.Done():
			}
			continue
		}
		missed := n.number > at+1
		at = n.number
		if known && missed && n.err == nil && Same(set, n.set) { // it changed and changed back while the reader was busy
			continue
		}
		if !yield(n.set, n.err) {
			return
		}
		if known = n.err == nil; known {
			set = n.set
		}
	}
}
