package httptransport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync/atomic"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

// errConn is what writing fails with when the connection is at its end.
var errConn = errors.New("httptransport: the WebSocket has ended")

// overSocket calls a stream of any kind over a WebSocket.
func (c *streamClient[In, Out]) overSocket(ctx context.Context, in iter.Seq2[In, error], out func(Out) error, x *sent) (err error) {
	k := &clientSocket{
		form: newFrameForm(c.codecs.Default(), c.codecs.Default().ContentTypes()[0]), limit: c.maxResponse, buf: buffer.Get(),
	}
	defer k.close()
	var (
		first []byte // the one request
		body  bool   // it has a part for the first frame, which may be empty
	)
	r := c.template.WithContext(ctx)
	if c.one {
		if r, err = c.request(ctx, in); err != nil {
			return err
		}
		if body = r.Body != nil; body {
			first, _ = io.ReadAll(r.Body) // it is in memory
		}
	} else {
		u := *c.url // for the hooks to change
		r.URL = &u
		r.Header = http.Header{"Accept": c.accept, "Content-Type": {c.codecs.Default().ContentTypes()[0]}}
	}
	if err := c.dial(ctx, r, k, x); err != nil {
		return err
	}
	stop := k.closeWith(ctx)
	defer stop()
	var s *uplink.Sender
	if c.one {
		if body {
			err = k.write(k.form.typ, first)
		}
	} else {
		s = c.sendFrames(ctx, k, in)
	}
	if err == nil {
		err = c.readFrames(ctx, k, out)
	}
	_ = k.conn.CloseNow()
	x.call.ResponseSize = k.read
	if s == nil {
		x.call.RequestSize = int64(len(first))
		return err
	}
	wrong := s.Stop()
	x.call.RequestSize = k.sent.Load()
	return uplink.Failure(err, wrong, io.ErrClosedPipe, errConn)
}

// dial opens the WebSocket.
func (c *streamClient[In, Out]) dial(ctx context.Context, r *http.Request, k *clientSocket, x *sent) error {
	x.ctx, r = c.outgoing(ctx, r)
	x.call.Request = transport.HeaderMap(r.Header)
	next := c.http.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	answer := &upgradeAnswer{next: next}
	hc := *c.http
	hc.Transport = answer
	conn, response, err := websocket.Dial(ctx, r.URL.String(), &websocket.DialOptions{HTTPClient: &hc, HTTPHeader: r.Header, Host: r.Host})
	if response == nil && err != nil {
		return c.unanswered(ctx, r, err)
	}
	x.response = response
	if answer.body != nil {
		response.Body = io.NopCloser(bytes.NewReader(answer.body))
	}
	k.conn = conn
	for _, hook := range c.after {
		x.ctx = hook(x.ctx, response)
	}
	switch {
	case err == nil:
		conn.SetReadLimit(-1) // it is counted here
		return nil
	case response.StatusCode == http.StatusSwitchingProtocols:
		return status.Errorf(status.Internal, "%s does not speak the WebSocket protocol", c.operation).WithCause(err)
	}
	return c.errorOf(x.ctx, x)
}

// upgradeAnswer keeps the body of a response that opens no WebSocket, of which websocket.Dial leaves the first kilobyte.
type upgradeAnswer struct {
	next http.RoundTripper
	body []byte
}

// RoundTrip implements http.RoundTripper.
func (a *upgradeAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(r)
	if err != nil || response.StatusCode == http.StatusSwitchingProtocols {
		return response, err
	}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, maxProblem))
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(a.body))
	return response, err
}

// clientSocket is the client's end of a WebSocket.
type clientSocket struct {
	conn  *websocket.Conn // nil until it is open
	form  frameForm
	limit int64
	buf   *buffer.Buffer // what was read last
	read  int64          // bytes
	sent  atomic.Int64   // bytes
}

// closeWith closes the connection when ctx ends, until stop is called.
func (k *clientSocket) closeWith(ctx context.Context) (stop func()) {
	closed := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = k.conn.CloseNow()
	})
	return func() {
		if !unhook() {
			<-closed
		}
	}
}

// close releases what the socket holds.
func (k *clientSocket) close() {
	if k.conn != nil {
		_ = k.conn.CloseNow()
	}
	k.buf.Free()
}

func (k *clientSocket) write(typ websocket.MessageType, data []byte) error {
	if err := k.conn.Write(context.Background(), typ, data); err != nil {
		return fmt.Errorf("%w: %w", errConn, err)
	}
	k.sent.Add(int64(len(data)))
	return nil
}

// next reads a frame, which is valid until the following call.
func (k *clientSocket) next() (data []byte, typ websocket.MessageType, err error) {
	typ, r, err := k.conn.Reader(context.Background())
	if err != nil {
		return nil, 0, err
	}
	k.buf.B, err = readAll(k.buf.B[:0], r, 0, k.limit)
	k.read += int64(len(k.buf.B))
	return k.buf.B, typ, err
}

// sendFrames sends what in yields, and then the end of it.
func (c *streamClient[In, Out]) sendFrames(ctx context.Context, k *clientSocket, in iter.Seq2[In, error]) *uplink.Sender {
	buf := buffer.Get()
	messages := newOutlet[In]()
	return uplink.Start(ctx, in, func(message In) error {
		data, err := k.form.append(buf.B[:0], messages.value(message))
		buf.B = data[:0]
		if err != nil {
			return c.unsent(err)
		}
		return k.write(k.form.typ, data)
	}, func(err error) {
		buf.Free()
		if err == nil {
			_ = k.write(websocket.MessageText, endFrame)
		} else {
			_ = k.conn.CloseNow()
		}
	})
}

// readFrames reads what the server sends, until the end.
func (c *streamClient[In, Out]) readFrames(ctx context.Context, k *clientSocket, out func(Out) error) error {
	in := newInlet[Out](nil)
	for n := 1; ; n++ {
		data, typ, err := k.next()
		switch {
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure:
			return nil
		case websocket.CloseStatus(err) >= 0 && ctx.Err() == nil:
			return closeError(c.operation, err)
		case err != nil:
			return c.broken(ctx, err)
		case typ == websocket.MessageText && bytes.HasPrefix(data, []byte(errorPrefix)):
			return c.problem(controlValue(data))
		case typ != k.form.typ:
			return c.wrong(n, errors.New("it is in a frame of another type"))
		}
		message, _, err := in.read(k.form.codec, data, nil)
		if err != nil {
			return c.wrong(n, err)
		}
		if err := out(message); err != nil {
			return err
		}
	}
}
