package inproc

import (
	"context"
	"errors"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// ClientOption sets up a client. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	codec      codec.Codec
	before     []func(context.Context, transport.Header) context.Context
	after      []func(context.Context, transport.Header) context.Context
	finalizers []func(context.Context, Outcome)
}

func newClientConfig(opts []ClientOption) (*clientConfig, error) {
	c := new(clientConfig)
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// ClientCopy sends every message through the codec, both ways, so that the two sides share no memory and may have
// different types. Without it messages are handed over as they are. It replaces an earlier one.
func ClientCopy(by codec.Codec) ClientOption {
	return func(c *clientConfig) error {
		if by == nil {
			return errors.New("ClientCopy by a nil codec")
		}
		c.codec = by
		return nil
	}
}

// ClientBefore adds hooks that run, in order, before the request is sent. They may set fields of its header and add to the context.
func ClientBefore(hooks ...func(ctx context.Context, request transport.Header) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ClientBefore", hooks)
	}
}

// ClientAfter adds hooks that see the header of the response, also of one that is an error. On a stream they run before the
// first message, or at its end where there is none. Without a server they do not run.
func ClientAfter(hooks ...func(ctx context.Context, response transport.Header) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ClientAfter", hooks)
	}
}

// ClientFinalizer adds hooks that run last, whatever happened.
func ClientFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ClientOption {
	return func(c *clientConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ClientFinalizer", hooks)
	}
}
