package httptransport

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/internal/buffer"
)

// body is the encoded body of an outgoing request. It can be sent again for redirects and retries, and goes back to the pool
// when nobody reads it any more: net/http may go on reading a while after the response has come, and closes what it has read.
type body struct {
	buf  *buffer.Buffer
	refs atomic.Int32
}

// newBody returns an empty body with one reference, that of the caller.
func newBody() *body {
	b := &body{buf: buffer.Get()}
	b.refs.Store(1)
	return b
}

// release gives up a reference. A nil body has none.
func (b *body) release() {
	if b != nil && b.refs.Add(-1) == 0 {
		b.buf.Free()
	}
}

// attach makes b the body of r, with a reference of its own.
func (b *body) attach(r *http.Request) {
	r.ContentLength = int64(len(b.buf.B))
	if r.ContentLength == 0 {
		r.Body = http.NoBody
		return
	}
	r.GetBody = b.reader
	r.Body, _ = b.reader()
}

func (b *body) reader() (io.ReadCloser, error) {
	b.refs.Add(1)
	return &bodyReader{body: b}, nil
}

// bodyReader reads a body. It may be closed while it is being read.
type bodyReader struct {
	mu   sync.Mutex
	body *body // nil once it is closed
	read int
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.body == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n := copy(p, r.body.buf.B[r.read:])
	r.read += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close gives up the reader's reference. Closing twice is harmless.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.body.release()
	r.body = nil
	return nil
}
