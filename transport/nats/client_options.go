package natstransport

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// ClientOption sets up a client. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	encodings

	subject     string
	maxResponse int64
	wait        bool
	stream      streamLimits
	before      []func(context.Context, transport.Header) context.Context
	after       []func(context.Context, transport.Header) context.Context
	finalizers  []func(context.Context, Outcome)
}

func newClientConfig(spec endpoint.Spec, opts []ClientOption) (*clientConfig, error) {
	c := &clientConfig{maxResponse: DefaultMaxResponse, stream: defaultStreamLimits()}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	var err error
	if c.subject, err = subjectOf(spec, c.subject); err != nil {
		return nil, err
	}
	return c, c.complete()
}

// ClientSubject sets the subject that requests are sent to, instead of the one that Subject returns. It replaces an earlier one.
func ClientSubject(subject string) ClientOption {
	return func(c *clientConfig) error {
		if err := checkSubject(subject); err != nil {
			return fmt.Errorf("ClientSubject: %w", err)
		}
		c.subject = subject
		return nil
	}
}

// ClientCodecs sets the codecs: the first writes requests, and all of them read responses. The default is JSON alone. It
// replaces an earlier one.
func ClientCodecs(codecs ...codec.Codec) ClientOption {
	return func(c *clientConfig) error { return c.setCodecs(codecs) }
}

// ClientMaxResponse limits a response to n bytes; on a stream, each message. The default is DefaultMaxResponse. It replaces an earlier one.
func ClientMaxResponse(n int64) ClientOption {
	return func(c *clientConfig) error {
		if n <= 0 {
			return fmt.Errorf("ClientMaxResponse of %d bytes, want more than 0", n)
		}
		c.maxResponse = n
		return nil
	}
}

// ClientWaitForConnection lets calls that begin during an outage of the connection to NATS wait until it is back, or their contexts end.
// By default they fail at once, with Unavailable and transport.ErrNotSent in the cause.
func ClientWaitForConnection() ClientOption {
	return func(c *clientConfig) error {
		c.wait = true
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
// first message, or at its end where there is none. Without an answer they do not run.
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
