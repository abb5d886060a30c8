package httptransport

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

const (
	// headerDelay is how long the header of a stream waits for the first message, or for an error with a status of its own.
	headerDelay = time.Second
	// writeAfterEnd is how long a write may take once the context has ended: a client that reads gets the reason.
	writeAfterEnd = 250 * time.Millisecond
)

var (
	errGone = status.New(status.Canceled, "the client went away")
	errSlow = status.New(status.Canceled, "the client did not read in time")
	errDead = status.New(status.Canceled, "the client does not answer")
)

// ended returns why the context of a stream ended.
func ended(ctx context.Context) *status.Error {
	cause := context.Cause(ctx)
	switch e := status.As(cause); {
	case e != nil:
		return e
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return status.From(ctx.Err())
	}
	return errGone.WithCause(cause)
}

// reason returns why a stream failed that returned err: what its context was cancelled with says more than that it was.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil && status.CodeOf(err) == status.Canceled {
		return ended(ctx)
	}
	return err
}

// feed writes the messages of a server stream into the body of the response.
type feed struct {
	x           *exchange
	cancel      context.CancelCauseFunc // ends the stream
	control     *http.ResponseController
	form        framing
	contentType string
	codec       codec.Codec
	header      *streamHeader
	trailer     transport.HeaderMap
	pulse       pulse

	mu      sync.Mutex // held while something is written
	buf     *buffer.Buffer
	started bool  // the header is out
	closed  bool  // nothing more is to be written
	broken  bool  // nothing more can be written
	err     error // of the first message that could not be sent
	size    int64
}

// open begins the feed, whose fields up to the pulse are set.
func (f *feed) open() (stop func()) {
	f.buf = buffer.Get()
	limits := &f.x.config.stream
	f.pulse.every, f.pulse.limit = limits.heartbeat, limits.write
	f.pulse.beat, f.pulse.cut = f.beat, f.cut
	_ = f.control.SetWriteDeadline(time.Time{})
	f.pulse.start(min(headerDelay, max(limits.heartbeat, time.Millisecond)))
	hurry := context.AfterFunc(f.x.ctx, func() { f.pulse.hurry(writeAfterEnd) })
	return func() {
		hurry()
		f.pulse.stop()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.closed = true
		f.x.info.ResponseSize = f.size
		f.buf.Free()
	}
}

// cut unblocks a write.
func (f *feed) cut() {
	f.cancel(errSlow)
	_ = f.control.SetWriteDeadline(time.Unix(1, 0))
}

// send writes one message.
func (f *feed) send(v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.err != nil:
		return f.err
	case f.closed:
		return errSendAfterEnd
	case f.x.ctx.Err() != nil:
		f.err = ended(f.x.ctx)
		return f.err
	}
	data, err := f.form.message(f.buf.B[:0], f.codec, v)
	f.buf.B = data[:0]
	if err == nil {
		err = f.write(data)
	}
	f.err = err
	return err
}

var errSendAfterEnd = errors.New("httptransport: out was called after the end of its stream")

// write sends the header, if that is still to be done, and data.
func (f *feed) write(data []byte) error {
	if !f.started {
		f.begin()
	}
	f.pulse.enter()
	defer f.pulse.leave()
	n, err := f.x.w.Write(data)
	f.size += int64(n)
	if err == nil {
		err = f.control.Flush()
	}
	if err == nil {
		return nil
	}
	f.broken = true
	f.cancel(errGone.WithCause(err))
	return ended(f.x.ctx)
}

// begin sends the header.
func (f *feed) begin() {
	if hooks := f.x.config.after; len(hooks) > 0 {
		before := f.header.clone()
		w := &hookWriter{ResponseWriter: f.x.w, header: before.Clone()}
		for _, hook := range hooks {
			hook(f.x.ctx, w)
		}
		f.header.merge(before, w.header) // a hook may also have set Info.Response
	}
	f.started = true
	f.header.mu.Lock()
	defer f.header.mu.Unlock()
	header := f.header.h
	header["Content-Type"] = []string{f.contentType}
	header["X-Content-Type-Options"] = noSniff
	header["X-Accel-Buffering"] = []string{"no"} // nginx would collect the messages
	if header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-store"}
	}
	header.Add("Vary", "Accept")
	delete(header, "Content-Length")
	f.x.outcome.Status = http.StatusOK
	f.x.w.WriteHeader(http.StatusOK)
}

// beat sends a sign of life, or the header when it has waited long enough. It is called by the pulse, on a goroutine of its own.
func (f *feed) beat() {
	if !f.mu.TryLock() {
		return // a message is being sent
	}
	defer f.mu.Unlock()
	defer func() {
		if value := recover(); value != nil { // a hook of ServerAfter
			f.err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
			f.cancel(f.err)
		}
	}()
	if f.closed || f.err != nil || f.x.ctx.Err() != nil {
		return
	}
	var sign []byte
	if f.started {
		sign = f.form.heartbeat()
	}
	f.err = f.write(sign)
}

// finish ends the stream that returned err.
func (f *feed) finish(err error) {
	f.mu.Lock()
	f.closed = true
	if f.err != nil && (err == nil || status.CodeOf(err) == status.Canceled) {
		err = f.err // also where the stream did not heed it
	}
	err = reason(f.x.ctx, err)
	started, broken := f.started, f.broken
	f.mu.Unlock()
	if err != nil && !started {
		_ = f.control.SetWriteDeadline(time.Now().Add(f.x.config.stream.write)) // open took that of the server away
		maps.Copy(f.x.w.Header(), http.Header(f.trailer))                       // an answer of one piece has no trailer
		f.x.fail(err)
		f.size = f.x.info.ResponseSize
		return
	}
	last := f.buf.B[:0]
	if err != nil {
		shown := f.x.observe(err)
		last = f.form.problem(last, shown, problemStatus(shown, err))
	} else {
		last = f.form.end(last)
	}
	if !broken {
		f.mu.Lock()
		writeErr := f.write(last)
		f.mu.Unlock()
		if broken = writeErr != nil; broken {
			f.x.outcome.Err = errors.Join(f.x.outcome.Err, writeErr)
		}
	}
	for key, values := range f.trailer {
		f.x.w.Header()[http.TrailerPrefix+key] = values
	}
	f.x.abort = broken
	_ = f.control.SetWriteDeadline(time.Now().Add(f.x.config.stream.write)) // for what net/http writes at the end
}
