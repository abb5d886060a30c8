package inproc

import (
	"context"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ServerOption sets up a server. Options of the same name append to each other, in order.
type ServerOption func(*serverConfig) error

type serverConfig struct {
	middleware []endpoint.Middleware
	before     []func(context.Context) context.Context
	after      []func(context.Context)
	finalizers []func(context.Context, Outcome)
	onError    []func(context.Context, error)
}

func newServerConfig(opts []ServerOption) (*serverConfig, error) {
	c := new(serverConfig)
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// ServerMiddleware decorates the whole of decoding, endpoint and, on a stream, all of its life, so that a refused request
// is never decoded. The request that it sees is a *Request.
func ServerMiddleware(mw ...endpoint.Middleware) ServerOption {
	return func(c *serverConfig) error {
		c.middleware = append(c.middleware, mw...)
		return option.RefuseNil("ServerMiddleware", mw)
	}
}

// ServerBefore adds hooks that run first, in order, and may add to the context. transport.FromContext has the call.
func ServerBefore(hooks ...func(ctx context.Context) context.Context) ServerOption {
	return func(c *serverConfig) error {
		c.before = append(c.before, hooks...)
		return option.RefuseNil("ServerBefore", hooks)
	}
}

// ServerAfter adds hooks that run when the endpoint has succeeded, before its response is encoded. They may set header
// fields. On a stream they run before the first message, or at its end where there is none.
func ServerAfter(hooks ...func(ctx context.Context)) ServerOption {
	return func(c *serverConfig) error {
		c.after = append(c.after, hooks...)
		return option.RefuseNil("ServerAfter", hooks)
	}
}

// ServerFinalizer adds hooks that run last, whatever happened, a panic included.
func ServerFinalizer(hooks ...func(ctx context.Context, outcome Outcome)) ServerOption {
	return func(c *serverConfig) error {
		c.finalizers = append(c.finalizers, hooks...)
		return option.RefuseNil("ServerFinalizer", hooks)
	}
}

// ServerErrorHandler adds hooks that see each error, before it is sent, with all of its causes: status.From of what the
// endpoint, the decoding or the encoding returned. Without any, errors that were not written to be shown, panics among
// them, go to the standard logger of package log, with their IDs.
func ServerErrorHandler(hooks ...func(ctx context.Context, err error)) ServerOption {
	return func(c *serverConfig) error {
		c.onError = append(c.onError, hooks...)
		return option.RefuseNil("ServerErrorHandler", hooks)
	}
}
