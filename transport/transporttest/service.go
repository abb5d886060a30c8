package transporttest

import (
	"context"
	"fmt"
	"iter"

	"github.com/ashlar-go/ashlar/endpoint"
)

// service is what a check opens.
type service struct {
	stream stream                // the implementation; of a unary operation it gets one message and sends one
	around []endpoint.Middleware // of the implementation
	server ServerHooks
	client ClientHooks
	kind   endpoint.Kind // if it is to be another one than the check's
}

// spec describes the operation that the check serves.
func (c *cell) spec(kind endpoint.Kind) endpoint.Spec {
	return endpoint.Spec{Service: "transporttest.Suite", Method: "Call", Kind: kind, Idempotent: true}
}

// open serves s, and returns a client of it.
func (c *cell) open(s service) (stream, error) {
	_, call, err := c.link(s)
	return call, err
}

// link is open for a check that needs the link.
func (c *cell) link(s service) (Link, stream, error) {
	link, err := c.serve(s)
	if err != nil {
		return nil, nil, err
	}
	call, err := c.client(link, c.spec(c.kind), s.client)
	return link, call, err
}

// serve serves s until the check ends.
func (c *cell) serve(s service) (Link, error) {
	kind := s.kind
	if kind == 0 {
		kind = c.kind
	}
	operation := Operation{Spec: c.spec(kind), Hooks: s.server}
	if len(operation.Hooks.ErrorHandler) == 0 { // else errors that are not to be shown are logged
		operation.Hooks.ErrorHandler = []func(context.Context, error){func(context.Context, error) {}}
	}
	handler := stream(func(ctx context.Context, in iter.Seq2[Message, error], out func(Message) error) error {
		c.running.add()
		defer c.running.leave()
		return s.stream(ctx, in, out)
	})
	if kind == endpoint.Unary {
		operation.Endpoint = endpoint.New(operation.Spec, handler.Unary, s.around...)
	} else {
		operation.Stream = endpoint.NewStream(operation.Spec, handler, s.around...)
	}
	link, err := c.h.Open(operation)
	if err != nil {
		return nil, fmt.Errorf("opening a link: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links = append(c.links, link)
	return link, nil
}

// client returns a client of an operation, whatever its shape is.
func (c *cell) client(link Link, spec endpoint.Spec, hooks ClientHooks) (stream, error) {
	if spec.Kind != endpoint.Unary {
		call, err := link.Stream(spec.Client(), hooks)
		if err != nil {
			return nil, fmt.Errorf("making a client: %w", err)
		}
		return call, nil
	}
	call, err := link.Unary(spec.Client(), hooks)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return call.Stream(), nil
}
