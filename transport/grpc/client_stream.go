package grpctransport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/uplink"
)

// NewStreamClient returns the stream that calls the operation over conn; spec.Kind counts as Bidirectional when it is unset. Of a
// ServerStream the first message of in is the request, and the others are not read.
//
// Its errors are those of NewClient. An error that in yields, or out returns, cancels the call and is returned as it is.
//
// The call returns when the server has ended the stream, also when in has not ended yet. In runs on a goroutine of its own,
// except where there is one request. When the call returns before in has ended, nobody waits for in: the loop over it ends when it yields
// the next time, and until then it must not touch what the caller goes on using. An in that ends with ctx lives no longer than
// that. Out is called on the goroutine of the call.
//
// It fails when the operation is unary, and where NewClient does.
func NewStreamClient[In, Out any](
	spec endpoint.Spec, conn grpc.ClientConnInterface, opts ...ClientOption,
) (endpoint.Stream[In, Out], error) {
	c, err := newStreamClient[In, Out](spec, conn, opts)
	if err != nil {
		return nil, fmt.Errorf("grpctransport: stream client of %s: %w", spec.Operation(), err)
	}
	return c.call, nil
}

type streamClient[In, Out any] struct {
	*link[In, Out]

	desc grpc.StreamDesc
}

func newStreamClient[In, Out any](spec endpoint.Spec, conn grpc.ClientConnInterface, opts []ClientOption) (*streamClient[In, Out], error) {
	switch {
	case spec.Kind == 0:
		spec.Kind = endpoint.Bidirectional
	case spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewClient")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	}
	l, err := newLink[In, Out](spec, conn, opts)
	return &streamClient[In, Out]{link: l, desc: grpc.StreamDesc{
		StreamName:    spec.Method,
		ClientStreams: spec.Kind != endpoint.ServerStream,
		ServerStreams: spec.Kind != endpoint.ClientStream,
	}}, err
}

// call is the stream.
func (c *streamClient[In, Out]) call(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) (err error) {
	x := &sent{header: outgoing{ctx: ctx}}
	returned := false
	defer c.unwind(x, &returned)
	err = c.do(ctx, x, in, out)
	returned = true
	c.end(x, err)
	return err
}

func (c *streamClient[In, Out]) do(ctx context.Context, x *sent, in iter.Seq2[In, error], out func(Out) error) error {
	if err := ctx.Err(); err != nil {
		x.observed = transport.Observed(ctx)
		return status.From(err).WithCause(x.cause(err))
	}
	callCtx, options, err := c.begin(x)
	if err != nil {
		return c.unsent(err)
	}
	var request proto.Message
	if !c.desc.ClientStreams {
		if request, err = c.request(x, in); err != nil {
			return err
		}
	}
	callCtx, cancel := context.WithCancel(callCtx)
	defer cancel()
	stream, err := c.conn.NewStream(callCtx, &c.desc, c.path, options...)
	if err != nil {
		return c.failed(ctx, x, err)
	}
	s := &clientStream[In, Out]{
		streamClient: c, grpc: stream, x: x, callers: x.header.ctx, ctx: callCtx, cancel: cancel, reported: c.reported(x),
	}
	defer func() { _ = s.close() }() // also when out panics
	if request != nil {
		err = s.ask(request)
	} else {
		s.sender = uplink.Start(s.callers, in, s.send, s.endSend)
	}
	if err == nil {
		err = s.receive(ctx, out)
	}
	return uplink.Failure(err, s.close(), io.EOF)
}

// request returns the message of the one request.
func (c *streamClient[In, Out]) request(x *sent, in iter.Seq2[In, error]) (proto.Message, error) {
	for request, err := range in {
		if err != nil {
			return nil, err
		}
		m, err := c.out.message(x.header.ctx, request)
		if err != nil {
			return nil, c.unsent(err)
		}
		return m, nil
	}
	return nil, status.New(status.InvalidArgument, "the stream ended before its request").WithCause(transport.ErrNotSent)
}

// clientStream is one call of a stream, once it is open.
type clientStream[In, Out any] struct {
	*streamClient[In, Out]

	grpc     grpc.ClientStream
	x        *sent
	callers  context.Context // the caller's, which ends a little before ctx does
	ctx      context.Context
	cancel   context.CancelFunc // ends ctx
	sender   *uplink.Sender     // nil where there is one request
	ended    bool               // grpc-go is done with it
	reported bool               // somebody is told of the call
}

// close ends the stream, however it was left, and returns why the messages of the client ended before it. Closing twice is harmless.
func (s *clientStream[In, Out]) close() (wrong error) {
	s.cancel()
	if s.sender != nil {
		wrong = s.sender.Stop()
	}
	for !s.ended { // grpc-go ends it on a goroutine of its own
		s.ended = s.grpc.RecvMsg(s.in.fresh()) != nil
	}
	return wrong
}

// size counts the bytes of a message, where somebody is told of them.
func (s *clientStream[In, Out]) size(m proto.Message) int64 {
	if s.reported {
		return int64(proto.Size(m))
	}
	return 0
}

// ask sends the one request.
func (s *clientStream[In, Out]) ask(request proto.Message) error {
	err := s.grpc.SendMsg(request)
	switch {
	case err == nil, errors.Is(err, io.EOF): // the reason follows
		s.x.requestSize = s.size(request)
		return nil
	case statusOf(err).Code() == codes.ResourceExhausted:
		return unwire(statusOf(err).Proto()).WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err))
	}
	return s.unsent(err)
}

// send sends one message of many. It returns io.EOF when the stream has ended.
func (s *clientStream[In, Out]) send(message In) error {
	m, err := s.out.message(s.ctx, message)
	if err == nil {
		if err = s.grpc.SendMsg(m); err == nil {
			s.x.requestSize += s.size(m)
			return nil
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case grpcstatus.Code(err) == codes.ResourceExhausted, grpcstatus.Code(err) == codes.Canceled:
		return foreign(err)
	}
	return status.New(status.Internal, "a message to "+s.operation+" could not be encoded").WithCause(err)
}

// endSend ends the messages. Those that ended since the call was over have no end that the server could take for one.
func (s *clientStream[In, Out]) endSend(err error) {
	switch {
	case err == nil && s.ctx.Err() == nil:
		_ = s.grpc.CloseSend()
	case !errors.Is(err, io.EOF):
		s.cancel()
	}
}

// receive reads what the server sends, until the end.
func (s *clientStream[In, Out]) receive(ctx context.Context, out func(Out) error) error {
	for {
		m := s.in.fresh()
		err := s.grpc.RecvMsg(m)
		s.ended = err != nil || !s.desc.ServerStreams
		s.header()
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		default:
			return s.failed(ctx, s.x, err)
		}
		s.x.responseSize += s.size(m)
		message, err := s.value(s.x.header.ctx, m)
		if err != nil {
			return err
		}
		if err := out(message); err != nil || !s.desc.ServerStreams {
			return err
		}
	}
}

// header runs the hooks that see the header of the response, which is there.
func (s *clientStream[In, Out]) header() {
	if !s.x.observed && len(s.after) == 0 {
		return
	}
	if !s.x.answered {
		s.x.response, _ = s.grpc.Header()
		s.answer(s.x)
	}
	if s.ended {
		s.x.trailer = s.grpc.Trailer()
	}
}
