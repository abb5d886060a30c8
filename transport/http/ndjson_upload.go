package httptransport

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

// upload calls a client stream.
func (c *streamClient[In, Out]) upload(ctx context.Context, in iter.Seq2[In, error], out func(Out) error, x *sent) error {
	callers := ctx // which in may wait for
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := c.template.WithContext(ctx)
	u := *c.url // for the hooks to change
	r.URL = &u
	r.Header = http.Header{"Accept": c.accept, "Content-Type": {ndjsonType}}
	body, pipe := io.Pipe()
	defer body.Close()
	unblock := context.AfterFunc(ctx, func() { _ = body.CloseWithError(uplink.ErrStopped) }) // net/http waits for it to be read
	defer unblock()
	r.Body, r.ContentLength = body, -1
	buf := buffer.Get()
	var size atomic.Int64
	messages := newOutlet[In]()
	s := uplink.Start(callers, in, func(message In) error {
		data, err := ndjson{}.message(buf.B[:0], c.json, messages.value(message))
		buf.B = data[:0]
		if err != nil {
			return c.unsent(err)
		}
		n, err := pipe.Write(data)
		size.Add(int64(n))
		return err
	}, func(err error) {
		if !errors.Is(err, uplink.ErrStopped) { // else ctx ends the request, and says why
			_ = pipe.CloseWithError(err)
		}
	})
	err := c.do(ctx, r, x)
	if err == nil {
		err = c.respond(ctx, out, x)
	}
	_ = body.Close()
	wrong := s.Stop()
	x.call.RequestSize = size.Load()
	select {
	case <-s.Done():
		buf.Free()
	default: // the messages are still to end
	}
	return uplink.Failure(err, wrong, io.ErrClosedPipe, errConn)
}

// unsent is what the caller gets for a message that could not be encoded.
func (c *streamClient[In, Out]) unsent(err error) error {
	return status.Errorf(status.Internal, "a message to %s could not be encoded", c.operation).WithCause(err)
}
