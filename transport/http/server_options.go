package httptransport

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ServerOption sets up a server. Options of the same name append to each other, in order, unless they say otherwise.
type ServerOption func(*serverConfig) error

// serverConfig is what the options of a server come to.
type serverConfig struct {
	codecs     *codec.Set
	maxRequest int64
	middleware []endpoint.Middleware
	before     []func(context.Context, *http.Request) context.Context
	after      []func(context.Context, http.ResponseWriter)
	finalizers []func(context.Context, *http.Request, Outcome)
	onError    []func(context.Context, error)
	decode     any // func(context.Context, *http.Request) (Req, error)
	encode     any // func(context.Context, http.ResponseWriter, Resp) error
	stream     serverStreams
}

func newServerConfig(opts []ServerOption) (*serverConfig, error) {
	c := &serverConfig{maxRequest: DefaultMaxRequest, stream: defaultServerStreams}
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

// decorate puts the ServerMiddleware around h.
func (c *serverConfig) decorate(spec endpoint.Spec, h endpoint.Handler) endpoint.Handler {
	return endpoint.Chain(c.middleware[0], c.middleware[1:]...)(spec.Server(), h)
}

// ServerCodecs sets the codecs that bodies are read and written with; the first answers where the request does not say.
// The default is JSON alone. It replaces an earlier one.
func ServerCodecs(codecs ...codec.Codec) ServerOption {
	return func(c *serverConfig) error {
		set, err := codec.NewSet(codecs...)
		c.codecs = set
		return err
	}
}

// ServerMaxRequest limits the request's body to n bytes, counted as they are read and after decompression; on a stream, each
// message. A longer one is answered with 413. The default is DefaultMaxRequest. It replaces an earlier one.
func ServerMaxRequest(n int64) ServerOption {
	return func(c *serverConfig) error {
		if n <= 0 {
			return fmt.Errorf("ServerMaxRequest of %d bytes, want more than 0", n)
		}
		c.maxRequest = min(n, math.MaxInt64-1) // one more is read, to see that it is too much
		return nil
	}
}

// ServerMiddleware decorates the whole of decoding, endpoint and, on a stream, all of its life, so that a refused request
// is never decoded. The request that it sees is the *http.Request.
func ServerMiddleware(mw ...endpoint.Middleware) ServerOption {
	return func(c *serverConfig) error {
		c.middleware = append(c.middleware, mw...)
		return option.RefuseNil("ServerMiddleware", mw)
	}
}

// ServerBefore adds hooks that run first, in order, and may add to the context.
func ServerBefore(hooks ...func(ctx context.Context, r *http.Request) context.Context) ServerOption {
	return func(c *serverConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ServerBefore", hooks)
	}
}

// ServerAfter adds hooks that run when the endpoint has succeeded, before its response is encoded. They may set header fields; they
// must not write. On a stream they run before the first message.
func ServerAfter(hooks ...func(ctx context.Context, w http.ResponseWriter)) ServerOption {
	return func(c *serverConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ServerAfter", hooks)
	}
}

// ServerFinalizer adds hooks that run last, whatever happened, a panic included.
func ServerFinalizer(hooks ...func(ctx context.Context, r *http.Request, outcome Outcome)) ServerOption {
	return func(c *serverConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ServerFinalizer", hooks)
	}
}

// Outcome tells a finalizer what really happened.
type Outcome struct {
	// Status is the HTTP status that was sent; 0 if none was, 101 for a WebSocket.
	Status int
	// Err is why the call failed, or why its response could not be written; nil if all went well. Of a panic it holds
	// the *endpoint.PanicError.
	Err error
	// RequestSize and ResponseSize count the bytes of the bodies: read after decompression, and written.
	RequestSize, ResponseSize int64
}

// ServerErrorHandler adds hooks that see each error, before it is sent, with all of its causes: status.From of what the
// endpoint, a decoder or an encoder returned. Without any, errors that were not written to be shown, panics among them, go to the
// ErrorLog of the http.Server, with their IDs.
func ServerErrorHandler(hooks ...func(ctx context.Context, err error)) ServerOption {
	return func(c *serverConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServerErrorHandler", hooks)
	}
}

// ServerDecoder sets the function that makes the request, instead of binding it from its type. Its Req must be that of the
// endpoint. The body that it reads is as it came, with its Content-Encoding, and limited by ServerMaxRequest. It replaces an earlier one.
func ServerDecoder[Req any](decode func(ctx context.Context, r *http.Request) (Req, error)) ServerOption {
	return func(c *serverConfig) error {
		c.decode = decode
		return option.RefuseNil("ServerDecoder", []func(context.Context, *http.Request) (Req, error){decode})
	}
}

// ServerEncoder sets the function that writes the response, header and body, instead of a codec. Its Resp must be that of
// the endpoint. An error that it returns before it has written anything is answered as any error. It replaces an earlier one.
func ServerEncoder[Resp any](encode func(ctx context.Context, w http.ResponseWriter, response Resp) error) ServerOption {
	return func(c *serverConfig) error {
		c.encode = encode
		return option.RefuseNil("ServerEncoder", []func(context.Context, http.ResponseWriter, Resp) error{encode})
	}
}
