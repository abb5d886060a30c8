package natstransport

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// Server serves one operation, unary or streaming. NewServer and NewStreamServer make it, and Serve puts it onto a connection, or
// onto several. It is safe for concurrent use.
type Server struct {
	*serverConfig

	operation string
	service   string
	method    string
	kind      endpoint.Kind
	handle    func(x *exchange) error // from the first hook to the response, or to the end of the stream
}

// Operation returns the operation that it serves.
func (s *Server) Operation() string { return s.operation }

// Subject returns the subject that its requests come on.
func (s *Server) Subject() string { return s.subject }

// NewServer returns the server of e, to be put onto a connection by Serve. Each request goes through the ServerBefore hooks, the
// ServerMiddleware, decoding, e, the ServerAfter hooks and encoding, and, whatever came of it, the finalizers. Requests are served
// at the same time, up to ServerMaxInFlight. One that was sent without a reply subject is served, and its response goes nowhere.
//
// It panics when e is nil, when spec.Kind is set and is not Unary, when no subject can be made of spec and none is given, and when
// an option is wrong: mistakes in the program that no input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) *Server {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("natstransport: server of %s: %v", spec.Operation(), err))
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
	config, err := newServerConfig(spec, opts)
	if err != nil {
		return nil, err
	}
	if option := config.stream.set(); option != "" {
		return nil, fmt.Errorf("%s is for streams", "Server"+option)
	}
	u := &unaryServer[Req, Resp]{endpoint: e}
	if len(config.middleware) > 0 {
		u.around = endpoint.New(spec.Server(), func(ctx context.Context, r *Request) (Resp, error) {
			return u.call(ctx, r.x)
		}, config.middleware...)
	}
	return &Server{
		serverConfig: config, operation: spec.Operation(), service: spec.Service, method: spec.Method, kind: endpoint.Unary, handle: u.handle,
	}, nil
}

// Request is what the ServerMiddleware of a unary operation sees as the request: the call, before it is decoded.
type Request struct {
	// Info describes the call; it is that of transport.FromContext.
	Info *transport.Info
	// Message is the one that came. It must not be changed, nor answered.
	Message *nats.Msg

	x *exchange
}

type unaryServer[Req, Resp any] struct {
	endpoint endpoint.Endpoint[Req, Resp]
	around   endpoint.Endpoint[*Request, Resp] // the ServerMiddleware with decoding and the endpoint inside; nil without any
}

// handle serves one request, up to its response.
func (u *unaryServer[Req, Resp]) handle(x *exchange) error {
	if err := x.begin(); err != nil {
		return err
	}
	if x.msg.Header[streamField] != nil {
		return status.Errorf(status.Unimplemented, "%s is unary, and no stream", x.server.operation)
	}
	response, err := u.decorated(x)
	if err != nil {
		return err
	}
	for _, hook := range x.server.after {
		hook(x.ctx)
	}
	if x.codec == nil { // of a middleware that answered by itself
		if err := x.chooseCodec(); err != nil {
			return err
		}
	}
	buf := buffer.Get()
	defer buf.Free()
	if buf.B, err = payload.Append(x.codec, buf.B, response); err != nil {
		return fmt.Errorf("encoding the response: %w", err)
	}
	return x.respond(buf.B)
}

func (u *unaryServer[Req, Resp]) decorated(x *exchange) (Resp, error) {
	if u.around == nil {
		return u.call(x.ctx, x)
	}
	return u.around(x.ctx, &Request{Info: x.info, Message: x.msg, x: x})
}

// call decodes the request, and calls the endpoint.
func (u *unaryServer[Req, Resp]) call(ctx context.Context, x *exchange) (response Resp, err error) {
	if err := x.chooseCodec(); err != nil {
		return response, err
	}
	if n := len(x.msg.Data); int64(n) > x.server.maxRequest {
		return response, tooLarge("the request", n, x.server.maxRequest)
	}
	request, err := payload.DecodeRequest[Req](x.codec, x.msg.Data)
	if err != nil {
		return response, err
	}
	return u.endpoint(ctx, request)
}
