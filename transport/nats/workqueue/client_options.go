package workqueue

import (
	"context"
	"errors"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// ClientOption sets up a client. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	codec      codec.Codec
	before     []func(context.Context, transport.Header) context.Context
	after      []func(context.Context, Receipt) context.Context
	finalizers []func(context.Context, Outcome)
	messageID  any // func(Req) string
	subject    any // func(Req) string
	stream     string
}

func newClientConfig(opts []ClientOption) (*clientConfig, error) {
	c := &clientConfig{codec: json.New()}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// ClientCodecs sets the codecs; the first writes the messages. The default is JSON. It replaces an earlier one.
func ClientCodecs(codecs ...codec.Codec) ClientOption {
	return func(c *clientConfig) error {
		set, err := codec.NewSet(codecs...)
		if err == nil {
			c.codec = set.Default()
		}
		return err
	}
}

// ClientBefore adds hooks that see the header, in order, before the message is published. They may set fields and add to the context.
func ClientBefore(hooks ...func(ctx context.Context, request transport.Header) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ClientBefore", hooks)
	}
}

// ClientAfter adds hooks that run when the message is stored.
func ClientAfter(hooks ...func(ctx context.Context, receipt Receipt) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ClientAfter", hooks)
	}
}

// ClientFinalizer adds hooks that run last, whatever happened, a panic included.
func ClientFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ClientOption {
	return func(c *clientConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ClientFinalizer", hooks)
	}
}

// ClientMessageID sets the function that names a request, such as by the number of its order. The stream stores one of several messages
// with the same name within its window for duplicates, so that a call may be repeated; a name of "" is none. Its Req must be
// that of the client. It replaces an earlier one.
func ClientMessageID[Req any](id func(request Req) string) ClientOption {
	return func(c *clientConfig) error {
		c.messageID = id
		return option.RefuseNil("ClientMessageID", []func(Req) string{id})
	}
}

// ClientSubject sets the function that says what subject a request goes to, instead of the one that the client was made with. Its Req
// must be that of the client. It replaces an earlier one.
func ClientSubject[Req any](subject func(request Req) string) ClientOption {
	return func(c *clientConfig) error {
		c.subject = subject
		return option.RefuseNil("ClientSubject", []func(Req) string{subject})
	}
}

// ClientStream has messages refused that any other stream than the one of that name would store. It replaces an earlier one.
func ClientStream(name string) ClientOption {
	return func(c *clientConfig) error {
		c.stream = name
		if name == "" {
			return errors.New("ClientStream without a name")
		}
		return nil
	}
}
