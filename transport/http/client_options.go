package httptransport

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ClientOption sets up a client. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	codecs      *codec.Set
	maxResponse int64
	before      []func(context.Context, *http.Request) context.Context
	after       []func(context.Context, *http.Response) context.Context
	finalizers  []func(context.Context, Outcome)
	encode      any // func(context.Context, *http.Request, Req) error
	decode      any // func(context.Context, *http.Response) (Resp, error)
	decodeError []func(context.Context, *http.Response, []byte) error
	carrier     carrier
}

func newClientConfig(opts []ClientOption) (*clientConfig, error) {
	c := &clientConfig{maxResponse: DefaultMaxResponse}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	if c.codecs == nil {
		set, err := codec.NewSet(json.New())
		if err != nil {
			return nil, err
		}
		c.codecs = set
	}
	return c, nil
}

// ClientCodecs sets the codecs: the first writes requests, and all of them are accepted for responses. The default is JSON alone. It
// replaces an earlier one.
func ClientCodecs(codecs ...codec.Codec) ClientOption {
	return func(c *clientConfig) error {
		set, err := codec.NewSet(codecs...)
		c.codecs = set
		return err
	}
}

// ClientMaxResponse limits the response's body to n bytes, after decompression; on a stream, each message. The default is
// DefaultMaxResponse. It replaces an earlier one.
func ClientMaxResponse(n int64) ClientOption {
	return func(c *clientConfig) error {
		if n <= 0 {
			return fmt.Errorf("ClientMaxResponse of %d bytes, want more than 0", n)
		}
		c.maxResponse = min(n, math.MaxInt64-1) // one more is read, to see that it is too much
		return nil
	}
}

// ClientBefore adds hooks that see the request, in order, before it is sent. They may change its header and add to the context.
func ClientBefore(hooks ...func(ctx context.Context, r *http.Request) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ClientBefore", hooks)
	}
}

// ClientAfter adds hooks that see the response, also one that is an error, before its body is read.
func ClientAfter(hooks ...func(ctx context.Context, r *http.Response) context.Context) ClientOption {
	return func(c *clientConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ClientAfter", hooks)
	}
}

// ClientFinalizer adds hooks that run last, whatever happened. Outcome.Status is that of the response, 0 without any.
func ClientFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ClientOption {
	return func(c *clientConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ClientFinalizer", hooks)
	}
}

// ClientEncoder sets the function that writes a request into r, whose method and URL are those of the route, instead of
// writing it by its type. Its Req must be that of the client. It replaces an earlier one.
func ClientEncoder[Req any](encode func(ctx context.Context, r *http.Request, request Req) error) ClientOption {
	return func(c *clientConfig) error {
		c.encode = encode
		return option.RefuseNil("ClientEncoder", []func(context.Context, *http.Request, Req) error{encode})
	}
}

// ClientDecoder sets the function that reads a response of the 2xx range, instead of a codec. Its Resp must be that of the
// client. The body is limited by ClientMaxResponse, and closed by the client. It replaces an earlier one.
func ClientDecoder[Resp any](decode func(ctx context.Context, r *http.Response) (Resp, error)) ClientOption {
	return func(c *clientConfig) error {
		c.decode = decode
		return option.RefuseNil("ClientDecoder", []func(context.Context, *http.Response) (Resp, error){decode})
	}
}

// ClientErrorDecoder adds functions that read a response outside of the 2xx range which is not problem details, such as one in
// another service's own form. They are asked in order until one returns an error, which should be a *status.Error and is the
// client's; where none does, the client makes one of the HTTP status. The body is the first 64 KiB of the response's, and is not
// to be kept.
func ClientErrorDecoder(decoders ...func(ctx context.Context, r *http.Response, body []byte) error) ClientOption {
	return func(c *clientConfig) error {
		c.decodeError = append(c.decodeError, decoders...)
		return option.RefuseNil("ClientErrorDecoder", decoders)
	}
}
