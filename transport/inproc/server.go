package inproc

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// Server serves one operation, unary or streaming. NewServer and NewStreamServer make it, and Mux.Handle puts it where
// clients find it. It is safe for concurrent use.
type Server struct {
	operation string
	kind      endpoint.Kind
	types     string // of its messages, for errors
	typed     any    // the *unaryServer or *streamServer
}

// Operation returns the operation that it serves.
func (s *Server) Operation() string { return s.operation }

// NewServer returns the server of e, to be put on a Mux. Each call goes through the ServerBefore hooks, the
// ServerMiddleware, decoding (where the client copies), e, the ServerAfter hooks and encoding, and, whatever came of it,
// the finalizers.
//
// It panics when e is nil, when spec has no Method, when spec.Kind is set and is not Unary, when an option is wrong, and
// where endpoint.New does: mistakes in the program that no input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) *Server {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("inproc: server of %s: %v", spec.Operation(), err))
	}
	return &Server{operation: s.operation, kind: endpoint.Unary, types: types[Req, Resp](), typed: s}
}

func newServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts []ServerOption) (*unaryServer[Req, Resp], error) {
	if e == nil {
		return nil, errors.New("the endpoint is nil")
	}
	if spec.Method == "" {
		return nil, errNoMethod
	}
	if spec.Kind != 0 && spec.Kind != endpoint.Unary {
		return nil, fmt.Errorf("the operation is %v; use NewStreamServer", spec.Kind)
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &unaryServer[Req, Resp]{serverConfig: config, operation: spec.Operation(), endpoint: e}
	if len(s.middleware) > 0 {
		s.around = endpoint.New(spec, func(ctx context.Context, r *Request) (Resp, error) {
			return r.run.(func(context.Context) (Resp, error))(ctx) //nolint:forcetypeassert // it was made by s
		}, s.middleware...)
	}
	return s, nil
}

// Request is what the ServerMiddleware of a unary operation sees as the request: the call, before it is decoded.
type Request struct {
	// Info describes the call; it is that of transport.FromContext.
	Info *transport.Info

	run any // func(context.Context) (Resp, error): decoding and the endpoint
}

type unaryServer[Req, Resp any] struct {
	*serverConfig

	operation string
	endpoint  endpoint.Endpoint[Req, Resp]
	around    endpoint.Endpoint[*Request, Resp] // the ServerMiddleware; nil without any
}

// copiedServer is a unaryServer seen by a client that copies.
type copiedServer interface {
	serveCopied(x *exchange, by codec.Codec, request, dst []byte) (response []byte, err error)
}

// serve serves a call whose messages are handed over as they are.
func (s *unaryServer[Req, Resp]) serve(x *exchange, request Req) (response Resp, err error) {
	defer func() { err = x.finish(recover(), err) }()
	err = errUnfinished
	x.begin(s.operation, s.serverConfig)
	if s.around == nil {
		response, err = s.endpoint(x.ctx, request)
	} else {
		response, err = s.decorated(x, func(ctx context.Context) (Resp, error) { return s.endpoint(ctx, request) })
	}
	if err == nil {
		err = x.answer()
	}
	return response, err
}

// serveCopied serves a call whose messages are encoded. It appends the response to dst.
func (s *unaryServer[Req, Resp]) serveCopied(x *exchange, by codec.Codec, request, dst []byte) (_ []byte, err error) {
	defer func() { err = x.finish(recover(), err) }()
	err = errUnfinished
	x.begin(s.operation, s.serverConfig)
	x.info.RequestSize = int64(len(request))
	response, err := s.decorated(x, func(ctx context.Context) (response Resp, err error) {
		decoded, err := payload.DecodeRequest[Req](by, request)
		if err != nil {
			return response, err
		}
		return s.endpoint(ctx, decoded)
	})
	if err != nil {
		return dst, err
	}
	if err = x.answer(); err != nil {
		return dst, err
	}
	if dst, err = payload.Append(by, dst, response); err != nil {
		return dst, fmt.Errorf("encoding the response: %w", err)
	}
	x.info.ResponseSize = int64(len(dst))
	return dst, nil
}

func (s *unaryServer[Req, Resp]) decorated(x *exchange, run func(context.Context) (Resp, error)) (Resp, error) {
	if s.around == nil {
		return run(x.ctx)
	}
	return s.around(x.ctx, &Request{Info: x.info, run: run})
}
