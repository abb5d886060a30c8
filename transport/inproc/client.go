package inproc

import (
	"context"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// NewClient returns the endpoint that calls the operation on the server which mux has for it. The server may be added
// later. Its errors are *status.Error: what the server sent; Canceled or DeadlineExceeded when the context has
// ended, without a call when it had before; Unimplemented without a server; and Internal when the server has other types
// and the client does not copy, and for a header field with a name or a value that HTTP refuses.
// transport.ErrNotSent is in their causes when the server was not called.
//
// It fails when mux is nil, when spec has no Method, when spec.Kind is set and is not Unary, and when an option is wrong.
func NewClient[Req, Resp any](spec endpoint.Spec, mux *Mux, opts ...ClientOption) (endpoint.Endpoint[Req, Resp], error) {
	l, err := newLink(spec, mux, false, types[Req, Resp](), opts)
	if err != nil {
		return nil, err
	}
	c := &client[Req, Resp]{link: l}
	return c.call, nil
}

type client[Req, Resp any] struct{ *link }

// call is the endpoint.
func (c *client[Req, Resp]) call(ctx context.Context, request Req) (response Resp, err error) {
	x := new(exchange)
	defer func() { c.end(x, err) }()
	if err = c.begin(ctx, x); err != nil {
		return response, err
	}
	err = errUnfinished // should the endpoint end its goroutine
	return c.do(x, request)
}

func (c *client[Req, Resp]) do(x *exchange, request Req) (response Resp, err error) {
	s, err := c.server()
	if err != nil {
		return response, err
	}
	if c.codec != nil {
		return c.copied(x, s, request)
	}
	server, ok := s.typed.(*unaryServer[Req, Resp])
	if !ok {
		return response, c.mismatch(s)
	}
	if err := c.send(x); err != nil {
		return response, err
	}
	answer, err := server.serve(x, request)
	c.answered(x)
	if err = x.result(err); err == nil {
		response = answer
	}
	return response, err
}

// copied is do through the codec.
func (c *client[Req, Resp]) copied(x *exchange, s *Server, request Req) (response Resp, err error) {
	server := s.typed.(copiedServer) //nolint:forcetypeassert // c.server has seen that it is unary
	sent, received := buffer.Get(), buffer.Get()
	defer sent.Free()
	defer received.Free()
	if sent.B, err = payload.Append(c.codec, sent.B, request); err != nil {
		return response, notSent(status.New(status.Internal, "the request to "+c.operation+" could not be encoded").WithCause(err))
	}
	if err = c.send(x); err != nil {
		return response, err
	}
	received.B, err = server.serveCopied(x, c.codec, sent.B, received.B)
	c.answered(x)
	if err = x.result(err); err != nil {
		return response, err
	}
	answer, err := payload.Decode[Resp](c.codec, received.B)
	if err != nil {
		return response, c.undecodable(err)
	}
	return answer, nil
}

// undecodable is the error of a response that does not fit the client's type.
func (l *link) undecodable(err error) error {
	return status.New(status.Internal, "the response of "+l.operation+" could not be decoded").WithCause(err)
}
