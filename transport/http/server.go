package httptransport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// NewServer returns the http.Handler that serves e, safe for concurrent use. Each request goes through the ServerBefore hooks,
// the ServerMiddleware, decoding, e, the ServerAfter hooks and encoding, and, whatever came of it, the finalizers. The response is
// encoded whole before the first byte of the header goes out.
//
// NewServer panics when e is nil, when spec has no Method, when Req cannot be bound and when an option is wrong: mistakes
// in the program that no input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) http.Handler {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("httptransport: server of %s: %v", spec.Operation(), err))
	}
	return s
}

type server[Req, Resp any] struct {
	*serverConfig

	operation string
	endpoint  endpoint.Endpoint[Req, Resp]
	decode    func(context.Context, *http.Request) (Req, error)
	encode    func(context.Context, http.ResponseWriter, Resp) error // nil: by codec
	answers   answers[Resp]
	around    endpoint.Handler // the ServerMiddleware with decoding and the endpoint inside; nil without any
}

func newServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts []ServerOption) (*server[Req, Resp], error) {
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
	s := &server[Req, Resp]{serverConfig: config, operation: spec.Operation(), endpoint: e, answers: newAnswers[Resp](config.codecs)}
	if s.decode, err = decoder[Req](config); err != nil {
		return nil, err
	}
	if s.encode, err = option.Typed[func(context.Context, http.ResponseWriter, Resp) error]("ServerEncoder", config.encode); err != nil {
		return nil, err
	}
	if option := config.stream.set(); option != "" {
		return nil, fmt.Errorf("%s is for streams", option)
	}
	if len(config.middleware) > 0 {
		spec.Kind = endpoint.Unary
		s.around = config.decorate(spec, func(ctx context.Context, request any) (any, error) {
			r, ok := request.(*http.Request)
			if !ok {
				return nil, &endpoint.TypeError{Operation: s.operation, Role: "request", Want: "*http.Request", Have: fmt.Sprintf("%T", request)}
			}
			if s.encode == nil { // inside, so that a refused Accept is logged, and comes after authentication
				if _, err := s.answers.negotiate(r); err != nil {
					return nil, err
				}
			}
			return s.call(ctx, r)
		})
	}
	return s, nil
}

// decoder returns the decoder that the options gave, or else one that binds Req.
func decoder[Req any](config *serverConfig) (func(context.Context, *http.Request) (Req, error), error) {
	given, err := option.Typed[func(context.Context, *http.Request) (Req, error)]("ServerDecoder", config.decode)
	if err != nil {
		return nil, err
	}
	if given == nil {
		b, err := newBinder[Req](config)
		if err != nil {
			return nil, err
		}
		return b.bind, nil
	}
	return func(ctx context.Context, r *http.Request) (Req, error) {
		body := &limitedBody{ReadCloser: r.Body, limit: config.maxRequest, tooLarge: tooLarge}
		r.Body = body
		request, err := given(ctx, r)
		if info := transport.FromContext(ctx); info != nil {
			info.RequestSize = body.read
		}
		return request, err
	}, nil
}

// ServeHTTP implements http.Handler.
func (s *server[Req, Resp]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{config: s.serverConfig, w: w, r: r}
	defer x.release() // after the finalizers
	defer x.end()
	err := x.begin(newInfo(w, r, s.operation))
	if err == nil {
		err = s.serve(x)
	}
	if err != nil {
		x.fail(err)
	}
}

// serve takes the request through the middleware to the endpoint, and answers it.
func (s *server[Req, Resp]) serve(x *exchange) error {
	var form form
	if s.around == nil && s.encode == nil {
		var err error
		if form, err = s.answers.negotiate(x.r); err != nil {
			return err
		}
	}
	response, err := s.decorated(x.ctx, x.r)
	if err != nil {
		return err
	}
	for _, hook := range s.after {
		hook(x.ctx, x.w)
	}
	if s.encode != nil {
		err := s.encode(x.ctx, &recorder{ResponseWriter: x.w, x: x}, response)
		if err == nil && x.outcome.Status == 0 {
			x.outcome.Status = http.StatusOK // which net/http sends when nothing was written
		}
		return err
	}
	if s.around != nil {
		if form, err = s.answers.negotiate(x.r); err != nil { // only of a middleware that answered by itself
			return err
		}
	}
	return s.answers.write(x, form, response)
}

func (s *server[Req, Resp]) decorated(ctx context.Context, r *http.Request) (response Resp, err error) {
	if s.around == nil {
		return s.call(ctx, r)
	}
	result, err := s.around(ctx, r)
	if err != nil {
		return response, err
	}
	response, ok := result.(Resp)
	if want := reflect.TypeFor[Resp](); !ok && (result != nil || want.Kind() != reflect.Interface) {
		err = &endpoint.TypeError{Operation: s.operation, Role: "response", Want: want.String(), Have: fmt.Sprintf("%T", result)}
	}
	return response, err
}

func (s *server[Req, Resp]) call(ctx context.Context, r *http.Request) (response Resp, err error) {
	request, err := s.decode(ctx, r)
	if err != nil {
		return response, err
	}
	return s.endpoint(ctx, request)
}
