package grpctransport

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ServerOption sets up a server. Options of the same name append to each other, in order, unless they say otherwise.
type ServerOption func(*serverConfig) error

// serverConfig is what the options of a server come to.
type serverConfig struct {
	middleware []endpoint.Middleware
	before     []func(context.Context) context.Context
	after      []func(context.Context)
	finalizers []func(context.Context, Outcome)
	onError    []func(context.Context, error)
	decode     any // *inlet[Req]
	encode     any // *outlet[Resp]
	files      *protoregistry.Files
	maxError   int
	peers      addressBook
}

func newServerConfig(opts []ServerOption) (*serverConfig, error) {
	c := &serverConfig{files: protoregistry.GlobalFiles, maxError: DefaultMaxError}
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// ServerMiddleware decorates the whole of decoding, endpoint and, on a stream, all of its life, so that a refused request
// is never decoded. The request that it sees on a unary operation is a *Request, and on a stream an *endpoint.Messages. Where the
// *grpc.Server has unary interceptors, these come first, and need the message: then only a ServerDecoder is inside.
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

// ServerDecoder sets the function that makes a request of the message that it comes in, a pointer to a generated one; on a stream, of each
// message. Its Req must be that of the endpoint. It replaces an earlier one.
func ServerDecoder[M proto.Message, Req any](decode func(ctx context.Context, message M) (Req, error)) ServerOption {
	return func(c *serverConfig) error {
		in, err := decoding("ServerDecoder", decode)
		c.decode = in
		return err
	}
}

// ServerEncoder sets the function that makes the message which a response is sent in; on a stream, each of them. Its Resp must be that of
// the endpoint. It replaces an earlier one.
func ServerEncoder[Resp any, M proto.Message](encode func(ctx context.Context, response Resp) (M, error)) ServerOption {
	return func(c *serverConfig) error {
		out, err := encoding("ServerEncoder", encode)
		c.encode = out
		return err
	}
}

// ServerFiles sets where Register looks for the description of the service, to check the method against it. The default is
// protoregistry.GlobalFiles, in which all generated files are. It replaces an earlier one; all servers of a service must have the same.
func ServerFiles(files *protoregistry.Files) ServerOption {
	return func(c *serverConfig) error {
		if files == nil {
			return errors.New("ServerFiles of nil")
		}
		c.files = files
		return nil
	}
}

// ServerMaxError limits what an error takes of the trailer to n bytes, in the form in which it is sent, since a client that has no room
// for a trailer sees none of it. What does not fit is left out: first the last details, then the last violations, then the end of
// the message. The default is DefaultMaxError, the least 1024. It replaces an earlier one.
func ServerMaxError(n int) ServerOption {
	return func(c *serverConfig) error {
		if n < minMaxError {
			return fmt.Errorf("ServerMaxError of %d bytes, want at least %d", n, minMaxError)
		}
		c.maxError = n
		return nil
	}
}

// minMaxError has room for a code, a reason and an ID.
const minMaxError = 1 << 10
