package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// ServerOption sets up one method of a server. Options of the same name append to each other, in order, unless they say otherwise. What
// belongs to the HTTP request, such as the limit of its body, is set by HandlerHTTP.
type ServerOption func(*serverConfig) error

type serverConfig struct {
	name       string // empty: the operation
	codec      codec.Codec
	middleware []endpoint.Middleware
	before     []func(context.Context, *Request) context.Context
	after      []func(context.Context, transport.Header)
	finalizers []func(context.Context, *Request, Outcome)
	onError    []func(context.Context, error)
}

func newServerConfig(opts []ServerOption) (*serverConfig, error) {
	c := new(serverConfig)
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	if c.codec == nil {
		c.codec = json.New()
	}
	return c, nil
}

// ServerName sets the name by which clients call the method. The default is spec.Operation(), such as "orders/Place". It replaces an
// earlier one.
func ServerName(name string) ServerOption {
	return func(c *serverConfig) error {
		c.name = name
		return refuseName("ServerName", name)
	}
}

// ServerCodec sets the codec that reads params and writes results, which must be one for application/json. The default is that of
// codec/json. It replaces an earlier one.
func ServerCodec(by codec.Codec) ServerOption {
	return func(c *serverConfig) error {
		c.codec = by
		return refuseCodec("ServerCodec", by)
	}
}

// ServerMiddleware decorates the whole of decoding and endpoint of each call, so that a refused one is never decoded. The request
// that it sees is the *Request.
func ServerMiddleware(mw ...endpoint.Middleware) ServerOption {
	return func(c *serverConfig) error {
		c.middleware = append(c.middleware, mw...)
		return option.RefuseNil("ServerMiddleware", mw)
	}
}

// ServerBefore adds hooks that run first in each call, in order, and may add to its context.
func ServerBefore(hooks ...func(ctx context.Context, r *Request) context.Context) ServerOption {
	return func(c *serverConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ServerBefore", hooks)
	}
}

// ServerAfter adds hooks that run when the endpoint has succeeded, before its result is encoded. They may set header fields of the
// response.
func ServerAfter(hooks ...func(ctx context.Context, response transport.Header)) ServerOption {
	return func(c *serverConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ServerAfter", hooks)
	}
}

// ServerFinalizer adds hooks that run last in each call, whatever happened, a panic included. The answer is encoded by then, and not sent:
// whether the client took it, a finalizer of the HTTP request is told.
func ServerFinalizer(hooks ...func(ctx context.Context, r *Request, outcome Outcome)) ServerOption {
	return func(c *serverConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ServerFinalizer", hooks)
	}
}

// Outcome tells a finalizer what really happened to a call.
type Outcome struct {
	// Code is the JSON-RPC code of the error that the call was answered with; 0 for a result, and for a notification, which has no
	// answer.
	Code int64
	// Err is why the call failed, nil if all went well. Of a panic it holds the *endpoint.PanicError.
	Err error
	// RequestSize and ResponseSize count the bytes of the call and of its answer inside the bodies.
	RequestSize, ResponseSize int64
}

// ServerErrorHandler adds hooks that see the error of each call, of a notification too, with all of its causes: status.From of what the
// endpoint, the decoding or the encoding returned. Without any, errors that were not written to be shown, panics among them, go to the
// ErrorLog of the http.Server, with their IDs.
func ServerErrorHandler(hooks ...func(ctx context.Context, err error)) ServerOption {
	return func(c *serverConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServerErrorHandler", hooks)
	}
}

func refuseName(option, name string) error {
	if name == "" {
		return errors.New(option + ": the name is empty")
	}
	return nil
}

func refuseCodec(option string, c codec.Codec) error {
	if c == nil {
		return errors.New(option + ": the codec is nil")
	}
	if types := c.ContentTypes(); !slices.Contains(types, json.ContentType) {
		return fmt.Errorf("%s: the codec is for %v, want one for %s", option, types, json.ContentType)
	}
	return nil
}
