package natstransport

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

// NewStreamClient returns the stream that calls an operation of NewStreamServer over conn. The one request of a ServerStream opens the
// stream; the others send one message after another.
//
// Its errors are *status.Error: those of NewClient; Unavailable when the server does not give a sign of life for three of its
// heartbeats, or when the connection to NATS was lost; DataLoss when a message was. An error that in yields, or out returns, cancels
// the call and is returned as it is.
//
// The call returns when the server has ended the stream, also when in has not ended yet, and at once when ctx ends. In runs on a
// goroutine of its own, except where there is one request. When the call returns before in has ended, nobody waits for in: the loop
// over it ends when it yields the next time, and until then it must not touch what the caller goes on using. An in that ends with ctx
// lives no longer than that. Out is called on the goroutine of the call.
//
// It fails when the operation is unary, when no subject can be made of spec and none is given, and when an option is wrong.
func NewStreamClient[In, Out any](spec endpoint.Spec, conn *Conn, opts ...ClientOption) (endpoint.Stream[In, Out], error) {
	c, err := newClient(spec, conn, true, opts)
	if err != nil {
		return nil, fmt.Errorf("natstransport: stream client of %s: %w", spec.Operation(), err)
	}
	return (&streamClient[In, Out]{c}).call, nil
}

type streamClient[In, Out any] struct{ *client }

// call is the stream.
func (c *streamClient[In, Out]) call(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) (err error) {
	x := sent{ctx: ctx}
	defer func() {
		if value := recover(); value != nil {
			c.report(&x, &endpoint.PanicError{Value: value, Stack: debug.Stack()})
			panic(value)
		}
	}()
	if err = c.ready(ctx); err == nil {
		err = c.do(&x, in, out)
	}
	c.report(&x, err)
	return err
}

func (c *streamClient[In, Out]) do(x *sent, in iter.Seq2[In, error], out func(Out) error) (err error) {
	var first []byte
	if c.kind == endpoint.ServerStream {
		if first, err = c.first(x, in); err != nil {
			return err
		}
	}
	if err := c.compose(x, first); err != nil {
		return err
	}
	f := newFlow(endpoint.Client, &c.stream, c.maxResponse, c.conn.link.nc)
	if first != nil {
		f.sent = 1
	}
	stop, err := c.open(x, f)
	if err != nil {
		return err
	}
	defer stop()
	if first != nil {
		return c.named(c.receive(x, f, out))
	}
	var size atomic.Int64
	s := c.send(x.ctx, f, in, &size)
	end := func() error {
		f.finish() // so that what is being sent returns
		err := s.Stop()
		x.requestSize = size.Load()
		return err
	}
	defer func() { _ = end() }() // also when out panics
	err = c.receive(x, f, out)
	return c.named(uplink.Failure(err, end(), errFinished))
}

// first returns the frame of the one request.
func (c *streamClient[In, Out]) first(x *sent, in iter.Seq2[In, error]) ([]byte, error) {
	for request, err := range in {
		if err != nil {
			return nil, err
		}
		data, err := payload.Append(c.codec, make([]byte, headroom), request)
		if err != nil {
			return nil, c.unwritten(err)
		}
		x.requestSize = int64(len(data) - headroom)
		return putPrefix(data, headroom, lastFrame, 1), nil
	}
	return nil, notSent(status.New(status.InvalidArgument, "the stream ended before its request"))
}

// open sends the message that opens the stream. Stop gives the stream up, if it has not ended.
func (c *client) open(x *sent, f *flow) (stop func(), err error) {
	link := c.conn.link
	token, ok := link.open(f)
	if !ok {
		return nil, notSent(errClosed)
	}
	reply := link.subject(token)
	x.message.Reply = reply
	if err := c.conn.publish(&x.message); err != nil {
		link.release(token)
		return nil, err
	}
	f.start(c.stream.heartbeat)
	giveUp := func() {
		if !f.cancel() {
			_ = link.nc.Publish(CancelSubject(c.subject), []byte(reply))
		}
	}
	told := make(chan struct{})
	ctx := x.ctx // which the ClientAfter hooks change
	unhook := context.AfterFunc(ctx, func() {
		defer close(told)
		f.breakOff(status.From(ctx.Err()))
		if errors.Is(ctx.Err(), context.Canceled) { // the deadline the server knows itself
			giveUp()
		}
	})
	return func() {
		f.finish()
		link.release(token)
		f.batch.running.Wait()
		if !unhook() {
			<-told
		} else if !f.hasEnded() {
			giveUp()
		}
	}, nil
}

// send sends what in yields, and then the end of it. An in that has ended since ctx has is not at its end.
func (c *streamClient[In, Out]) send(ctx context.Context, f *flow, in iter.Seq2[In, error], size *atomic.Int64) *uplink.Sender {
	buf := make([]byte, headroom)
	return uplink.Start(ctx, in, func(message In) (err error) {
		if buf, err = payload.Append(c.codec, buf[:headroom], message); err != nil {
			return status.Errorf(status.Internal, "a message to %s could not be encoded", c.operation).WithCause(err)
		}
		n := len(buf) - headroom
		err = f.message(buf)
		if cap(buf) > maxKept {
			buf = make([]byte, headroom)
		}
		if err == nil {
			size.Add(int64(n))
		}
		return err
	}, func(err error) {
		switch {
		case errors.Is(err, uplink.ErrStopped):
			err = ctx.Err()
		case err == nil:
			err = f.end()
		}
		if err != nil {
			f.breakOff(status.From(err))
		}
	})
}

// receive reads what the server sends, until the end.
func (c *streamClient[In, Out]) receive(x *sent, f *flow, out func(Out) error) error {
	r := reader{flow: f}
	by, answered := c.plain, false
	for n := 1; ; n++ {
		i, err := r.next()
		if err != nil {
			return err
		}
		if i.kind == headerFrame {
			x.response = canonical(i.header)
			n--
			continue
		}
		if i.kind == endFrame {
			return c.ended(x, i, answered)
		}
		if !answered {
			answered = true
			c.answered(x, x.response)
			if by, _, err = c.read(x.response.Get(contentType)); err != nil {
				return c.wrong(n, err)
			}
		}
		x.responseSize += int64(len(i.data))
		message, err := payload.Decode[Out](by, i.data)
		if err != nil {
			return c.wrong(n, err)
		}
		if err := out(message); err != nil {
			return err
		}
	}
}

// ended returns what the stream ended with, as the server says.
func (c *client) ended(x *sent, end item, answered bool) error {
	x.trailer = canonical(end.header)
	if !answered {
		if x.response == nil { // a stream that was refused has no other
			x.response = x.trailer
		}
		c.answered(x, x.response)
	}
	if err := errorOf(x.trailer, end.data); err != nil {
		return err
	}
	return nil
}

// wrong is what the caller gets for a message that cannot be decoded.
func (c *client) wrong(n int, err error) error {
	return status.Errorf(status.Internal, "message %d of %s could not be decoded: %v", n, c.operation, err).WithCause(err)
}

// hasEnded reports whether the other end has ended the stream.
func (f *flow) hasEnded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}
