package workqueue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// Server is an endpoint with all that a worker needs to know of it. It does not change, is safe for concurrent use, and may be
// bound to several consumers.
type Server struct {
	*serverConfig

	operation string
	run       func(x *exchange) error // from the middleware to the result
}

// Operation returns the operation that it serves.
func (s *Server) Operation() string { return s.operation }

// Config returns the durable consumer that the server needs; the name must be one that JetStream allows. Add a FilterSubject, a
// description or a number of replicas as you like, and create it with js.CreateOrUpdateConsumer.
//
// MaxDeliver is without limit: it is the worker that counts, since JetStream would leave a message behind whose last delivery
// ended with its worker's process.
func (s *Server) Config(durable string) jetstream.ConsumerConfig {
	ackWait := s.ackWait
	if ackWait == 0 {
		ackWait = DefaultAckWait
	}
	return jetstream.ConsumerConfig{
		Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: s.maxAckPending,
	}
}

// NewServer returns the server of e. Each delivery goes through the ServerBefore hooks, the ServerMiddleware, decoding, e, the
// ServerAfter hooks and, with ServerResults, encoding; then JetStream is told what came of it, and the finalizers run.
//
// It panics when e is nil, when spec.Kind is set and is not Unary, when an option is wrong and where endpoint.New does: mistakes
// in the program that no input can cause.
func NewServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts ...ServerOption) *Server {
	s, err := newServer(spec, e, opts)
	if err != nil {
		panic(fmt.Sprintf("workqueue: server of %s: %v", spec.Operation(), err))
	}
	return s
}

func newServer[Req, Resp any](spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], opts []ServerOption) (*Server, error) {
	if e == nil {
		return nil, errors.New("the endpoint is nil")
	}
	if spec.Kind != 0 && spec.Kind != endpoint.Unary {
		return nil, fmt.Errorf("the operation is %v; a work queue carries one message at a time", spec.Kind)
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	decode, err := option.Typed[func(context.Context, *Delivery) (Req, error)]("ServerDecoder", config.decode)
	if err != nil {
		return nil, err
	}
	if decode == nil {
		decode = decoder[Req](config.codecs)
	}
	around := endpoint.New(spec.Server(), func(ctx context.Context, d *Delivery) (response Resp, err error) {
		request, err := decode(ctx, d)
		if err != nil {
			return response, err
		}
		return e(ctx, request)
	}, config.middleware...)
	return &Server{serverConfig: config, operation: spec.Operation(), run: func(x *exchange) error {
		response, err := around(x.ctx, &x.delivery)
		if err != nil {
			return err
		}
		for _, hook := range config.after {
			hook(x.ctx)
		}
		if config.results == "" {
			return nil
		}
		return x.publishResult(func(dst []byte) ([]byte, error) { return payload.Append(config.codecs.Default(), dst, response) })
	}}, nil
}

// undecodableError is the error of a message that no further attempt makes readable.
type undecodableError struct{ error }

func (e *undecodableError) Unwrap() error { return e.error }

// decoder returns the decoder that goes by the Content-Type.
func decoder[Req any](codecs *codec.Set) func(context.Context, *Delivery) (Req, error) {
	return func(ctx context.Context, d *Delivery) (request Req, err error) {
		by, err := codecOf(ctx, codecs)
		if err != nil {
			return request, &undecodableError{err}
		}
		if request, err = payload.DecodeRequest[Req](by, d.Data); err != nil {
			err = &undecodableError{err}
		}
		return request, err
	}
}
