package grpctransport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// NewStreamServer returns the server of s, to be put on a *grpc.Server by Register; spec.Kind counts as Bidirectional when it is unset. A
// call goes the way of NewServer; the ServerMiddleware is around the whole of it, and sees an *endpoint.Messages like all middleware of
// streams.
//
// The context of s ends when the client goes away, and when Shutdown wants it to; then out fails, and in ends with an error. Out
// blocks while gRPC's flow control holds the client's side to be full. The first error of out is that of the stream, even if s does not
// return it. Of a ClientStream the one response is sent when s has returned. The sizes of messages are counted where there are
// finalizers or ServerMiddleware to be told.
//
// It panics when s is nil, when spec.Kind is Unary, and where NewServer does.
func NewStreamServer[In, Out any](spec endpoint.Spec, s endpoint.Stream[In, Out], opts ...ServerOption) *Server {
	server, err := newStreamServer(spec, s, opts)
	if err != nil {
		panic(fmt.Sprintf("grpctransport: stream server of %s: %v", spec.Operation(), err))
	}
	return server
}

func newStreamServer[In, Out any](spec endpoint.Spec, stream endpoint.Stream[In, Out], opts []ServerOption) (*Server, error) {
	if spec.Kind == 0 {
		spec.Kind = endpoint.Bidirectional
	}
	switch {
	case stream == nil:
		return nil, errors.New("the stream is nil")
	case spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewServer")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	}
	s, err := newBareServer(spec, opts)
	if err != nil {
		return nil, err
	}
	if len(s.config.middleware) > 0 {
		stream = bound(stream)
	}
	t := &streamServer[In, Out]{
		serverConfig: s.config, operation: spec.Operation(), one: spec.Kind == endpoint.ClientStream,
		counted: len(s.config.finalizers)+len(s.config.middleware) > 0,
		stream:  endpoint.NewStream(spec.Server(), stream, s.config.middleware...),
	}
	if t.in, err = inletOf[In]("ServerDecoder", s.config.decode); err != nil {
		return nil, fmt.Errorf("the messages of the client: %w", err)
	}
	if t.out, err = outletOf[Out]("ServerEncoder", s.config.encode); err != nil {
		return nil, fmt.Errorf("the messages of the server: %w", err)
	}
	s.request, s.response, s.stream = t.in.form, t.out.form, t.handle
	return s, nil
}

type streamServer[In, Out any] struct {
	*serverConfig

	operation string
	one       bool // the kind has one response
	counted   bool // somebody may be told of the sizes
	stream    endpoint.Stream[In, Out]
	in        *inlet[In]
	out       *outlet[Out]
}

// streamCall is one call of a stream.
type streamCall[In, Out any] struct {
	exchange

	server   *streamServer[In, Out]
	grpc     grpc.ServerStream
	response proto.Message // the one response, until it is sent
	sent     int           // messages
	outErr   error         // the first of out

	notReceived, notSent error // what grpc-go has told the client by itself
}

// handle is the grpc.StreamHandler.
func (s *streamServer[In, Out]) handle(_ any, stream grpc.ServerStream) (err error) {
	c := &streamCall[In, Out]{server: s, grpc: stream}
	c.config, c.stream = s.serverConfig, stream
	c.begin(stream.Context(), s.operation)
	err = errUnfinished
	defer c.end(&err)
	c.before()
	if err := c.finish(s.stream(c.ctx, c.receive, c.send)); err != nil {
		return c.fail(err)
	}
	return nil
}

// finish is what comes after the stream, which has returned err.
func (c *streamCall[In, Out]) finish(err error) error {
	ctx := c.request.ctx
	if first := cmp.Or(c.notReceived, c.outErr); err == nil || status.CodeOf(err) == status.Canceled {
		err = cmp.Or(first, err) // also where the stream did not heed it
	}
	if told := cmp.Or(c.notReceived, c.notSent); err != nil && told != nil && status.CodeOf(told) != status.Canceled {
		err = errors.Join(told, err)
	}
	if err != nil || ctx.Err() != nil {
		return reason(ctx, err)
	}
	if c.server.one && c.sent != 1 {
		return fmt.Errorf("the stream sent %d responses, want 1", c.sent)
	}
	if err := c.answer(); err != nil {
		return err
	}
	if err := c.setTrailer(); err != nil {
		return err
	}
	if c.response != nil {
		return c.write(c.response)
	}
	return nil
}

// receive is in, as the stream sees it.
func (c *streamCall[In, Out]) receive(yield func(In, error) bool) {
	for {
		m := c.server.in.fresh()
		var message In
		err := c.grpc.RecvMsg(m)
		switch {
		case err == nil:
			if c.server.counted {
				c.info.RequestSize += int64(proto.Size(m))
			}
			message, err = c.server.in.value(c.ctx, m)
		case errors.Is(err, io.EOF):
			return
		default:
			err = untransferred(c.request.ctx, err)
			c.notReceived = err
		}
		if !yield(message, err) || err != nil {
			return
		}
	}
}

// send is out, as the stream sees it.
func (c *streamCall[In, Out]) send(message Out) error {
	if c.outErr == nil {
		c.outErr = c.trySend(message)
	}
	return c.outErr
}

func (c *streamCall[In, Out]) trySend(message Out) error {
	if ctx := c.request.ctx; ctx.Err() != nil {
		return ended(ctx)
	}
	if c.sent++; c.server.one {
		if c.sent > 1 {
			return fmt.Errorf("the stream sent %d responses, want 1", c.sent)
		}
	} else if err := c.answer(); err != nil {
		return err
	}
	m, err := c.server.out.message(c.ctx, message)
	if err != nil {
		return fmt.Errorf("encoding a response: %w", err)
	}
	if c.server.one {
		c.response = m
		return nil
	}
	return c.write(m)
}

func (c *streamCall[In, Out]) write(m proto.Message) error {
	if err := c.grpc.SendMsg(m); err != nil {
		c.notSent = untransferred(c.request.ctx, err)
		return c.notSent
	}
	if c.server.counted {
		c.info.ResponseSize += int64(proto.Size(m))
	}
	return nil
}

// untransferred is what a server sees of a message that grpc-go could not receive, or not send. The client sees the same: grpc-go has
// told it already.
func untransferred(ctx context.Context, err error) error {
	if code := grpcstatus.Code(err); ctx.Err() != nil && (code == codes.Canceled || code == codes.DeadlineExceeded) {
		return ended(ctx)
	}
	return foreign(err)
}

// reason returns why a call failed that ended with err: why it was to end, if it was.
func reason(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if err == nil || status.CodeOf(err) == status.Canceled || status.CodeOf(err) == status.DeadlineExceeded {
		return ended(ctx)
	}
	return err
}

// ended is the error of a call whose context has ended.
func ended(ctx context.Context) error {
	if e := status.As(context.Cause(ctx)); e != nil {
		return e
	}
	return status.From(ctx.Err())
}
