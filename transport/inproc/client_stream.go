package inproc

import (
	"context"
	"iter"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// NewStreamClient returns the stream that calls the operation on the server which mux has for it, with the errors of
// NewClient. An error that in yields, or out returns, ends the call and is returned as it is; the server sees Canceled.
//
// It fails when mux is nil, when spec has no Method, when spec.Kind is Unary, and when an option is wrong.
func NewStreamClient[In, Out any](spec endpoint.Spec, mux *Mux, opts ...ClientOption) (endpoint.Stream[In, Out], error) {
	l, err := newLink(spec, mux, true, types[In, Out](), opts)
	if err != nil {
		return nil, err
	}
	c := &streamClient[In, Out]{link: l}
	return c.call, nil
}

type streamClient[In, Out any] struct{ *link }

// call is the stream.
func (c *streamClient[In, Out]) call(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) (err error) {
	x := new(exchange)
	defer func() { c.end(x, err) }()
	if err = c.begin(ctx, x); err != nil {
		return err
	}
	s, err := c.server()
	if err != nil {
		return err
	}
	err = errUnfinished // should in or out panic
	if err = c.do(x, s, in, out); x.info != nil {
		c.answered(x)
		err = x.result(err)
	}
	return err
}

func (c *streamClient[In, Out]) do(x *exchange, s *Server, in iter.Seq2[In, error], out func(Out) error) error {
	if c.codec != nil {
		server := s.typed.(copiedStreamServer) //nolint:forcetypeassert // c.server has seen that it is a stream
		if err := c.send(x); err != nil {
			return err
		}
		return server.serveCopied(x, c.codec, c.encoding(in), c.decoding(x, out))
	}
	server, ok := s.typed.(*streamServer[In, Out])
	if !ok {
		return c.mismatch(s)
	}
	if err := c.send(x); err != nil {
		return err
	}
	if len(c.after) == 0 {
		return server.serve(x, in, out)
	}
	return server.serve(x, in, func(message Out) error {
		c.answered(x)
		return out(message)
	})
}

func (c *streamClient[In, Out]) encoding(in iter.Seq2[In, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buf []byte
		for message, err := range in {
			if err == nil {
				if buf, err = payload.Append(c.codec, buf[:0], message); err != nil {
					err = status.New(status.Internal, "a message to "+c.operation+" could not be encoded").WithCause(err)
				}
			}
			if !yield(buf, err) || err != nil {
				return
			}
		}
	}
}

func (c *streamClient[In, Out]) decoding(x *exchange, out func(Out) error) func([]byte) error {
	return func(data []byte) error {
		c.answered(x)
		message, err := payload.Decode[Out](c.codec, data)
		if err != nil {
			return c.undecodable(err)
		}
		return out(message)
	}
}
