package httptransport

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
)

// firstLimit is how long a client may take from the opening of a WebSocket to the end of the frame that is its one request.
const firstLimit = 10 * time.Second

// closeLimit is how long a client may take to close a WebSocket, too.
const closeLimit = 5 * time.Second

var errLate = status.Errorf(status.DeadlineExceeded, "it did not come within %v", firstLimit)

// serveSocket serves the stream over a WebSocket.
func (s *streamServer[In, Out]) serveSocket(x *exchange, cancel context.CancelCauseFunc) {
	var k *serverSocket
	defer func() { k.close() }()
	err := s.decorated(x, func(ctx context.Context, r *http.Request) error {
		if k != nil {
			return errTwice
		}
		var (
			request In
			err     error
		)
		if s.one() && !s.inFrame {
			if request, err = s.decode(ctx, r); err != nil {
				return err
			}
		}
		if k, err = openSocket(x, r, cancel); err != nil {
			return err
		}
		in := newInlet[In](s.plan)
		requests := socketMessages(k, in, r)
		if s.one() {
			if s.inFrame {
				late := time.AfterFunc(firstLimit, func() { k.inbox.end(errLate) })
				request, err = first(requests)
				late.Stop()
				if err != nil {
					return err
				}
			}
			k.inbox.close()
			requests = endpoint.Seq(request)
		}
		out := newOutlet[Out]()
		return x.bound(ctx, cancel, func() error {
			return s.stream(ctx, requests, until(ctx, x, func(message Out) error { return k.send(out.value(message)) }))
		})
	})
	switch {
	case k != nil:
		k.finish(err)
	case err == nil:
		x.fail(errors.New("a ServerMiddleware returned before the WebSocket was opened"))
	default:
		x.fail(reason(x.ctx, err))
	}
}

// first returns the first message of a stream.
func first[In any](in iter.Seq2[In, error]) (In, error) {
	for message, err := range in {
		return message, err
	}
	var none In
	return none, status.Invalid(violation(errNoBody))
}

// socketMessages yields what the client sends.
func socketMessages[In any](k *serverSocket, in inlet[In], r *http.Request) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for n := 1; ; n++ {
			var message In
			buf, err := k.next()
			if errors.Is(err, errEnd) {
				return
			}
			if err == nil {
				message, _, err = in.read(k.in.codec, buf.B, r)
				buf.Free()
			}
			if !yield(message, messageError(n, k.x.config.maxRequest, err)) || err != nil {
				return
			}
		}
	}
}

// serverSocket is the server's end of a WebSocket.
type serverSocket struct {
	x       *exchange
	cancel  context.CancelCauseFunc // ends the stream
	conn    *websocket.Conn
	raw     net.Conn // what conn is made of
	in, out frameForm
	inbox   *inbox
	pulse   pulse
	unhook  func() bool
	done    chan struct{} // closed when nobody reads any more

	buf   *buffer.Buffer
	err   error // of the first message that could not be sent
	size  int64
	read  atomic.Int64 // bytes
	sent  atomic.Int64 // messages
	known atomic.Int64 // messages that the client surely has read
	gone  atomic.Bool  // there is nobody to say anything to
}

// openSocket makes a WebSocket of the connection of r. Without an error the caller calls finish and close.
func openSocket(x *exchange, r *http.Request, cancel context.CancelCauseFunc) (*serverSocket, error) {
	if err := x.config.stream.origins.Check(r); err != nil {
		return nil, status.New(status.PermissionDenied, "pages of this origin may not open a WebSocket here").
			WithReason(ReasonOrigin).WithCause(err)
	}
	in, out, err := frameForms(x.config.codecs, r)
	if err != nil {
		return nil, err
	}
	for _, hook := range x.config.after {
		hook(x.ctx, x.w)
	}
	hand := &handshake{ResponseWriter: x.w}
	conn, err := websocket.Accept(hand, r, &websocket.AcceptOptions{InsecureSkipVerify: true /* its origin has been checked */})
	if err != nil {
		return nil, hand.error(err)
	}
	x.outcome.Status = http.StatusSwitchingProtocols
	conn.SetReadLimit(-1) // it is counted here, so that the client is told
	k := &serverSocket{
		x: x, cancel: cancel, conn: conn, raw: hand.conn, in: in, out: out, inbox: newInbox(func() { cancel(errUnread) }),
		buf: buffer.Get(), done: make(chan struct{}),
	}
	k.pulse.every, k.pulse.limit = x.config.stream.ping, x.config.stream.write
	k.pulse.beat, k.pulse.cut = k.ping, k.cut
	k.pulse.start(x.config.stream.ping)
	k.unhook = context.AfterFunc(x.ctx, func() {
		k.inbox.end(ended(x.ctx))
		k.pulse.hurry(writeAfterEnd)
	})
	go k.receive()
	return k, nil
}

// receive reads the connection until its end.
func (k *serverSocket) receive() {
	defer close(k.done)
	for {
		typ, r, err := k.conn.Reader(context.Background())
		if err != nil {
			k.lost(errGone.WithCause(err))
			return
		}
		f := frame{buf: buffer.Get(), typ: typ}
		f.buf.B, err = readAll(f.buf.B, r, 0, k.x.config.maxRequest)
		k.read.Add(int64(len(f.buf.B)))
		switch {
		case errors.Is(err, errTooLarge):
			f.buf.Free()
			k.inbox.end(errTooLarge)
			_, _ = io.Copy(io.Discard, r) // so that the end of the connection is noticed
		case err != nil:
			f.buf.Free()
			k.lost(errGone.WithCause(err))
			return
		case typ == websocket.MessageText && isControl(f.buf.B):
			if strings.HasPrefix(string(f.buf.B[:len(endPrefix)]), endPrefix) {
				k.inbox.end(errEnd)
			} else {
				k.inbox.end(errClientFailed)
			}
			f.buf.Free()
		default:
			k.inbox.put(f)
		}
	}
}

// lost ends the stream since there is nobody on the other side.
func (k *serverSocket) lost(err error) {
	k.gone.Store(true)
	k.inbox.end(err)
	k.cancel(err)
}

// next returns the next message, whose buffer the caller frees; errEnd after the last, and errTooLarge for one over the limit.
func (k *serverSocket) next() (*buffer.Buffer, error) {
	if k.x.ctx.Err() != nil {
		return nil, ended(k.x.ctx)
	}
	f, err := k.inbox.take()
	if err != nil {
		return nil, err
	}
	if f.typ != k.in.typ {
		f.buf.Free()
		return nil, status.Errorf(status.InvalidArgument, "it is in a %v frame, want %v", f.typ, k.in.typ)
	}
	return f.buf, nil
}

// send sends one message.
func (k *serverSocket) send(v any) error {
	switch {
	case k.err != nil:
		return k.err
	case k.x.ctx.Err() != nil:
		k.err = ended(k.x.ctx)
		return k.err
	}
	data, err := k.out.append(k.buf.B[:0], v)
	k.buf.B = data[:0]
	if err == nil {
		err = k.write(k.out.typ, data)
	}
	k.err = err
	return err
}

func (k *serverSocket) write(typ websocket.MessageType, data []byte) error {
	k.sent.Add(1)
	k.pulse.enter()
	defer k.pulse.leave()
	err := k.conn.Write(context.Background(), typ, data)
	if err == nil {
		k.size += int64(len(data))
		return nil
	}
	k.lost(errGone.WithCause(err))
	return ended(k.x.ctx)
}

// cut unblocks a write.
func (k *serverSocket) cut() {
	k.lost(errSlow)
	_ = k.conn.CloseNow()
}

// ping asks whether the client is still there. It is called by the pulse, on a goroutine of its own.
func (k *serverSocket) ping() {
	sent := k.sent.Load()
	before, _ := k.inbox.stalled()
	ctx, cancel := context.WithTimeout(k.x.ctx, k.x.config.stream.ping)
	defer cancel()
	err := k.conn.Ping(ctx)
	if err == nil {
		k.known.Store(sent)
		return
	}
	after, waiting := k.inbox.stalled()
	if before != after || waiting || k.known.Load() < sent || k.x.ctx.Err() != nil {
		return // the answer may wait behind messages, here or there
	}
	k.lost(errDead.WithCause(err))
}

// finish tells the client how the stream ended that returned err.
func (k *serverSocket) finish(err error) {
	k.inbox.close()
	if k.err != nil && (err == nil || status.CodeOf(err) == status.Canceled) {
		err = k.err // also where the stream did not heed it
	}
	err = reason(k.x.ctx, err)
	code, text := websocket.StatusNormalClosure, ""
	if err != nil {
		shown := k.x.observe(err)
		code, text = closeStatus(shown, err)
		if !k.gone.Load() {
			_ = k.write(websocket.MessageText, appendControl(k.buf.B[:0], shown, problemStatus(shown, err)))
		}
	}
	k.pulse.stop()
	// Close itself reads the rest of a frame without a limit, when it comes between two reads of receive.
	if !k.gone.Load() && k.raw.SetReadDeadline(time.Now().Add(closeLimit)) == nil {
		_ = k.conn.Close(code, text)
	}
}

// close releases what the socket holds. A nil socket has nothing.
func (k *serverSocket) close() {
	if k == nil {
		return
	}
	k.unhook()
	k.pulse.stop()
	k.inbox.close()
	_ = k.conn.CloseNow()
	<-k.done
	k.buf.Free()
	k.x.info.RequestSize, k.x.info.ResponseSize = k.read.Load(), k.size
}
