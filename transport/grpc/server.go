package grpctransport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// Server serves one operation, unary or streaming. NewServer and NewStreamServer make it, and Register puts it on a *grpc.Server.
// It is safe for concurrent use.
type Server struct {
	service, method   string
	kind              endpoint.Kind
	config            *serverConfig
	request, response form
	unary             grpc.MethodHandler // nil of a stream
	stream            grpc.StreamHandler
}

// Operation returns the operation that it serves.
func (s *Server) Operation() string { return s.service + "/" + s.method }

// NewServer returns the server of e, to be put on a *grpc.Server by Register. Each call goes through the ServerBefore hooks, the
// ServerMiddleware, decoding, e, the ServerAfter hooks and encoding, and, whatever came of it, the finalizers.
//
// It panics when e is nil, when spec has no Service or Method, when spec.Kind is set and is not Unary, when Req or Resp is no generated
// message and no option says which one stands for it, when an option is wrong, and where endpoint.New does: mistakes in the program that no
// input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) *Server {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("grpctransport: server of %s: %v", spec.Operation(), err))
	}
	return s
}

func newServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts []ServerOption) (*Server, error) {
	switch {
	case e == nil:
		return nil, errors.New("the endpoint is nil")
	case spec.Kind != 0 && spec.Kind != endpoint.Unary:
		return nil, fmt.Errorf("the operation is %v; use NewStreamServer", spec.Kind)
	}
	spec.Kind = endpoint.Unary
	s, err := newBareServer(spec, opts)
	if err != nil {
		return nil, err
	}
	u := &unaryServer[Req, Resp]{serverConfig: s.config, operation: spec.Operation(), path: "/" + spec.Operation(), endpoint: e}
	if u.in, err = inletOf[Req]("ServerDecoder", s.config.decode); err != nil {
		return nil, fmt.Errorf("the request: %w", err)
	}
	if u.out, err = outletOf[Resp]("ServerEncoder", s.config.encode); err != nil {
		return nil, fmt.Errorf("the response: %w", err)
	}
	if len(u.middleware) > 0 {
		u.around = endpoint.New(spec.Server(), func(ctx context.Context, r *Request) (Resp, error) {
			return u.call(ctx, r.call)
		}, u.middleware...)
	}
	s.request, s.response, s.unary = u.in.form, u.out.form, u.handle
	return s, nil
}

func newBareServer(spec endpoint.Spec, opts []ServerOption) (*Server, error) {
	if spec.Service == "" || spec.Method == "" {
		return nil, errors.New(`gRPC needs the name of a service, such as "shop.v1.Orders", and that of a method`)
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	return &Server{service: spec.Service, method: spec.Method, kind: spec.Kind, config: config}, nil
}

// Request is what the ServerMiddleware of a unary operation sees as the request: the call, before it is decoded.
type Request struct {
	// Info describes the call; it is that of transport.FromContext.
	Info *transport.Info

	call *unaryCall
}

type unaryServer[Req, Resp any] struct {
	*serverConfig

	operation, path string
	endpoint        endpoint.Endpoint[Req, Resp]
	in              *inlet[Req]
	out             *outlet[Resp]
	around          endpoint.Endpoint[*Request, Resp] // the ServerMiddleware; nil without any
}

// unaryCall is all that a unary call needs, in one allocation.
type unaryCall struct {
	exchange

	around  Request
	receive func(any) error
	message proto.Message // the request, when it has been received
	err     error         // why it was not
	reply   reply
	passed  passed
}

// SetHeader implements responder.
func (c *unaryCall) SetHeader(md metadata.MD) error { return grpc.SetHeader(c.server.Context, md) }

// SetTrailer implements responder.
func (c *unaryCall) SetTrailer(md metadata.MD) { _ = grpc.SetTrailer(c.server.Context, md) }

// handle is the grpc.MethodHandler.
func (s *unaryServer[Req, Resp]) handle(
	srv any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor, //nolint:revive // grpc-go's order
) (response any, err error) {
	c := &unaryCall{receive: receive}
	c.config, c.stream = s.serverConfig, c
	c.begin(ctx, s.operation)
	err = errUnfinished
	defer c.end(&err)
	if interceptor == nil {
		if response, err = s.serve(c); err != nil {
			return nil, err
		}
	} else if response, err = s.intercepted(c, interceptor, &grpc.UnaryServerInfo{Server: srv, FullMethod: s.path}); err != nil {
		return nil, err
	}
	m, ok := response.(proto.Message)
	if !ok {
		return nil, c.fail(fmt.Errorf("an interceptor returned a response of type %T, want a message", response))
	}
	size, err := c.reply.encode(m)
	if err != nil {
		return nil, c.fail(fmt.Errorf("encoding the response: %w", err))
	}
	c.info.ResponseSize = int64(size)
	return &c.reply, nil
}

// serve takes the call through the hooks and the middleware to the endpoint. Its error is grpc-go's.
func (s *unaryServer[Req, Resp]) serve(c *unaryCall) (m any, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = c.fail(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
		}
	}()
	c.before()
	message, err := s.respond(c)
	if err != nil {
		return nil, c.fail(err)
	}
	return message, nil
}

func (s *unaryServer[Req, Resp]) respond(c *unaryCall) (m proto.Message, err error) {
	var response Resp
	if s.around == nil {
		response, err = s.call(c.ctx, c)
	} else {
		c.around = Request{Info: c.info, call: c}
		response, err = s.around(c.ctx, &c.around)
	}
	if err != nil {
		return nil, err
	}
	if err := c.answer(); err != nil {
		return nil, err
	}
	if err := c.setTrailer(); err != nil {
		return nil, err
	}
	if m, err = s.out.message(c.ctx, response); err != nil {
		return nil, fmt.Errorf("encoding the response: %w", err)
	}
	return m, nil
}

// call decodes the request and calls the endpoint.
func (s *unaryServer[Req, Resp]) call(ctx context.Context, c *unaryCall) (response Resp, err error) {
	if c.message == nil {
		c.message = s.in.fresh()
		c.err = c.receive(c.message)
	}
	if c.err != nil {
		return response, untransferred(ctx, c.err)
	}
	c.info.RequestSize = int64(proto.Size(c.message))
	request, err := s.in.value(ctx, c.message)
	if err != nil {
		return response, err
	}
	return s.endpoint(ctx, request)
}
