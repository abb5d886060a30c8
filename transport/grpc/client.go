package grpctransport

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// NewClient returns the endpoint that calls the operation over conn, which is a *grpc.ClientConn of Dial or of grpc-go itself. All clients
// of an instance share one.
//
// Its errors are *status.Error: what the server sent, or Unavailable, Canceled or DeadlineExceeded when there was no answer;
// transport.ErrNotSent is in their causes when the request surely did not leave. A call fails at once while the server cannot be reached,
// unless a grpc.WaitForReady is among the ClientCallOptions. Whether a call left is known of a *grpc.ClientConn only, whose interceptors
// have to pass on the options of the call, and not of another conn.
//
// It fails when conn is nil, when spec has no Service or Method, when spec.Kind is set and is not Unary, when Req or Resp is no
// generated message and no option says which one stands for it, and when an option is wrong.
func NewClient[Req, Resp any](
	spec endpoint.Spec, conn grpc.ClientConnInterface, opts ...ClientOption,
) (endpoint.Endpoint[Req, Resp], error) {
	c, err := newClient[Req, Resp](spec, conn, opts)
	if err != nil {
		return nil, fmt.Errorf("grpctransport: client of %s: %w", spec.Operation(), err)
	}
	return c.call, nil
}

type client[Req, Resp any] struct{ *link[Req, Resp] }

func newClient[Req, Resp any](spec endpoint.Spec, conn grpc.ClientConnInterface, opts []ClientOption) (*client[Req, Resp], error) {
	if spec.Kind != 0 && spec.Kind != endpoint.Unary {
		return nil, fmt.Errorf("the operation is %v; use NewStreamClient", spec.Kind)
	}
	l, err := newLink[Req, Resp](spec, conn, opts)
	return &client[Req, Resp]{link: l}, err
}

// call is the endpoint.
func (c *client[Req, Resp]) call(ctx context.Context, request Req) (response Resp, err error) {
	x := &sent{header: outgoing{ctx: ctx}}
	returned := false
	defer c.unwind(x, &returned)
	response, err = c.do(ctx, x, request)
	returned = true
	c.end(x, err)
	return response, err
}

func (c *client[Req, Resp]) do(ctx context.Context, x *sent, request Req) (response Resp, err error) {
	if err := ctx.Err(); err != nil {
		x.observed = transport.Observed(ctx)
		return response, status.From(err).WithCause(x.cause(err))
	}
	call, options, err := c.begin(x)
	if err != nil {
		return response, c.unsent(err)
	}
	if x.request, err = c.out.message(x.header.ctx, request); err != nil {
		return response, c.unsent(err)
	}
	x.reply = c.in.fresh()
	if x.observed || len(c.after) > 0 {
		options = append(options, grpc.Header(&x.response), grpc.Trailer(&x.trailer))
	}
	err = c.conn.Invoke(call, c.path, x.request, x.reply, options...)
	if x.left() {
		c.answer(x)
	}
	if err != nil {
		return response, c.failed(ctx, x, err)
	}
	return c.value(x.header.ctx, x.reply)
}

// value makes a response of its message.
func (l *link[In, Out]) value(ctx context.Context, m proto.Message) (Out, error) {
	response, err := l.in.value(ctx, m)
	if err != nil && status.As(err) == nil {
		err = status.New(status.Internal, "the response of "+l.operation+" could not be decoded").WithCause(err)
	}
	return response, err
}
