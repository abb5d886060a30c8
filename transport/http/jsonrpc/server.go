package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// Server serves one method. NewServer makes it, and NewHandler puts it on HTTP. It is safe for concurrent use.
type Server struct {
	name      string
	operation string
	config    *serverConfig
	method    served
}

// Name returns the name by which clients call the method.
func (s *Server) Name() string { return s.name }

// served is a method whose types are erased.
type served interface {
	// serve takes the call through the middleware to the endpoint, and appends the result, unless it is a notification.
	serve(x *exchange) error
}

// NewServer returns the server of e, to be given to NewHandler. Each call goes through the ServerBefore hooks, the ServerMiddleware,
// decoding, e, the ServerAfter hooks and encoding, and, whatever came of it, the finalizers.
//
// It panics when e is nil, when spec.Kind is set and is not Unary, since JSON-RPC has no streams, for a name that is empty or begins with
// "rpc.", which the specification reserves, and when an option is wrong: mistakes in the program that no input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) *Server {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("jsonrpc: server of %s: %v", spec.Operation(), err))
	}
	return s
}

func newServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts []ServerOption) (*Server, error) {
	if e == nil {
		return nil, errors.New("the endpoint is nil")
	}
	if err := refuseStreams(spec); err != nil {
		return nil, err
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Server{name: config.name, operation: spec.Operation(), config: config}
	if s.name == "" {
		s.name = s.operation
	}
	switch {
	case s.name == "":
		return nil, errors.New("neither the Spec nor ServerName names the method")
	case strings.HasPrefix(s.name, "rpc."):
		return nil, fmt.Errorf(`the name %q begins with "rpc.", which the specification reserves`, s.name)
	}
	m := &method[Req, Resp]{endpoint: e, params: newParams(reflect.TypeFor[Req](), config.codec), config: config}
	if t := reflect.TypeFor[Req](); t.Kind() == reflect.Pointer {
		m.elem = t.Elem()
	}
	m.empty = reflect.TypeFor[Resp]() == reflect.TypeFor[struct{}]()
	m.byPointer = reflect.TypeFor[Resp]().Kind() == reflect.Struct
	if len(config.middleware) > 0 {
		spec.Kind = endpoint.Unary
		m.around = endpoint.New(spec.Server(), m.call, config.middleware...)
	}
	s.method = m
	return s, nil
}

func refuseStreams(spec endpoint.Spec) error {
	if spec.Kind != 0 && spec.Kind != endpoint.Unary {
		return fmt.Errorf("the operation is %v, and JSON-RPC has no streams", spec.Kind)
	}
	return nil
}

// Request is one call before its params are decoded, as hooks and the ServerMiddleware see it.
type Request struct {
	// Info describes the call; it is that of transport.FromContext.
	Info *transport.Info
	// Method is the name that the client calls.
	Method string
	// Params is the JSON of the parameters as it came, nil without any. It must not be changed.
	Params []byte
	// ID is the JSON of the id as it came, nil for a notification. It must not be changed.
	ID []byte
}

// method is a served with its types.
type method[Req, Resp any] struct {
	config    *serverConfig
	endpoint  endpoint.Endpoint[Req, Resp]
	params    params
	elem      reflect.Type // what Req points to, nil when it is no pointer
	empty     bool         // Resp is struct{}: null
	byPointer bool         // encoders take a pointer to a struct without another copy
	around    endpoint.Endpoint[*Request, Resp]
}

func (m *method[Req, Resp]) serve(x *exchange) error {
	call := m.call
	if m.around != nil {
		call = m.around
	}
	response, err := call(x.ctx, &x.request)
	if err != nil {
		return err
	}
	for _, hook := range m.config.after {
		hook(x.ctx, &x.header)
	}
	if x.request.ID == nil {
		return nil
	}
	return x.succeed(func(dst []byte) ([]byte, error) { return m.appendResponse(dst, response) })
}

// call decodes the request and calls the endpoint, if there is time.
func (m *method[Req, Resp]) call(ctx context.Context, r *Request) (response Resp, err error) {
	if err := ctx.Err(); err != nil {
		return response, err
	}
	request, err := m.decode(r.Params)
	if err != nil {
		return response, err
	}
	return m.endpoint(ctx, request)
}

func (m *method[Req, Resp]) decode(raw []byte) (request Req, err error) {
	if m.elem == nil {
		err = m.params.decode(raw, &request)
		return request, err
	}
	target := reflect.New(m.elem).Interface()
	if err = m.params.decode(raw, target); err == nil {
		request, _ = target.(Req)
	}
	return request, err
}

func (m *method[Req, Resp]) appendResponse(dst []byte, response Resp) ([]byte, error) {
	if m.empty {
		return append(dst, "null"...), nil
	}
	if m.byPointer {
		return m.config.codec.Append(dst, &response)
	}
	return m.config.codec.Append(dst, response)
}
