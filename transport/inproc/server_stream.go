package inproc

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// NewStreamServer returns the server of s, to be put on a Mux. A call goes the way of NewServer; the ServerMiddleware is
// around the whole of it, and sees an *endpoint.Messages like all middleware of streams.
//
// It panics when s is nil, when spec has no Method, when spec.Kind is Unary, when an option is wrong, and where
// endpoint.NewStream does.
func NewStreamServer[In, Out any](spec endpoint.Spec, s endpoint.Stream[In, Out], opts ...ServerOption) *Server {
	if spec.Kind == 0 {
		spec.Kind = endpoint.Bidirectional
	}
	typed, err := newStreamServer(spec, s, opts)
	if err != nil {
		panic(fmt.Sprintf("inproc: stream server of %s: %v", spec.Operation(), err))
	}
	return &Server{operation: typed.operation, kind: spec.Kind, types: types[In, Out](), typed: typed}
}

func newStreamServer[In, Out any](spec endpoint.Spec, s endpoint.Stream[In, Out], opts []ServerOption) (*streamServer[In, Out], error) {
	if s == nil {
		return nil, errors.New("the stream is nil")
	}
	if spec.Method == "" {
		return nil, errNoMethod
	}
	if spec.Kind == endpoint.Unary {
		return nil, errors.New("the operation is unary; use NewServer")
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	if len(config.middleware) > 0 {
		s = bound(s)
	}
	stream := endpoint.NewStream(spec, s, config.middleware...)
	return &streamServer[In, Out]{serverConfig: config, operation: spec.Operation(), stream: stream}, nil
}

// bound ends the stream when the context has ended with which the ServerMiddleware went on. It cannot end the waiting for a message, which
// is the caller's own.
func bound[In, Out any](stream endpoint.Stream[In, Out]) endpoint.Stream[In, Out] {
	return func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
		until := func(yield func(In, error) bool) {
			for message, err := range in {
				if over := ended(ctx); err == nil && over != nil {
					err = over
				}
				if !yield(message, err) || err != nil {
					return
				}
			}
		}
		err := stream(ctx, until, func(message Out) error {
			if over := ended(ctx); over != nil {
				return over
			}
			return out(message)
		})
		if err == nil {
			return ended(ctx)
		}
		return err
	}
}

// ended returns why the context has ended, nil if it has not.
func ended(ctx context.Context) error {
	switch e := status.As(context.Cause(ctx)); {
	case ctx.Err() == nil:
		return nil
	case e != nil:
		return e
	}
	return status.From(ctx.Err())
}

type streamServer[In, Out any] struct {
	*serverConfig

	operation string
	stream    endpoint.Stream[In, Out]
}

// copiedStreamServer is a streamServer seen by a client that copies.
type copiedStreamServer interface {
	serveCopied(x *exchange, by codec.Codec, in iter.Seq2[[]byte, error], out func([]byte) error) error
}

// serve serves a call whose messages are handed over as they are.
func (s *streamServer[In, Out]) serve(x *exchange, in iter.Seq2[In, error], out func(Out) error) (err error) {
	defer func() { err = x.finish(recover(), err) }()
	err = errUnfinished
	x.begin(s.operation, s.serverConfig)
	if err = s.stream(x.ctx, guardIn(x, in), guardOut(x, out)); err == nil {
		err = x.answer()
	}
	return err
}

// serveCopied serves a call whose messages are encoded.
func (s *streamServer[In, Out]) serveCopied(x *exchange, by codec.Codec, in iter.Seq2[[]byte, error], out func([]byte) error) (err error) {
	defer func() { err = x.finish(recover(), err) }()
	err = errUnfinished
	x.begin(s.operation, s.serverConfig)
	if err = s.stream(x.ctx, s.decoding(x, by, guardIn(x, in)), s.encoding(x, by, guardOut(x, out))); err == nil {
		err = x.answer()
	}
	return err
}

func (s *streamServer[In, Out]) decoding(x *exchange, by codec.Codec, in iter.Seq2[[]byte, error]) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for data, err := range in {
			var message In
			if err == nil {
				x.info.RequestSize += int64(len(data))
				message, err = payload.DecodeRequest[In](by, data)
			}
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}

func (s *streamServer[In, Out]) encoding(x *exchange, by codec.Codec, out func([]byte) error) func(Out) error {
	var buf []byte
	return func(message Out) error {
		err := x.answer()
		if err != nil {
			return err
		}
		if buf, err = payload.Append(by, buf[:0], message); err != nil {
			return fmt.Errorf("encoding a response: %w", err)
		}
		x.info.ResponseSize += int64(len(buf))
		return out(buf)
	}
}
