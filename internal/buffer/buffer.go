// Package buffer pools the byte slices that requests are read into and responses encoded into.
package buffer

import "sync"

// maxKept is the largest capacity that goes back to the pool, so that one huge message does not stay in memory for ever.
const maxKept = 1 << 20

// Buffer is a byte slice on loan. Append to B and store the result back.
type Buffer struct{ B []byte }

var pool = sync.Pool{New: func() any { return &Buffer{B: make([]byte, 0, 1024)} }}

// Get returns an empty buffer, which nobody else has until Free.
func Get() *Buffer {
	b, _ := pool.Get().(*Buffer)
	return b
}

// Free gives b back. Neither b nor b.B may be used afterwards.
func (b *Buffer) Free() {
	if cap(b.B) > maxKept {
		return
	}
	b.B = b.B[:0]
	pool.Put(b)
}
