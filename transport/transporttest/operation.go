package transporttest

import (
	"context"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Operation is what a harness serves.
type Operation struct {
	// Spec describes it. The kind is always set.
	Spec endpoint.Spec
	// Endpoint is the implementation of a unary operation, Stream that of any other.
	Endpoint endpoint.Endpoint[Message, Message]
	Stream   endpoint.Stream[Message, Message]
	// Hooks are the options of its server.
	Hooks ServerHooks
}

// ServerHooks are the options of a server that all transports have. A harness sets each of the functions by an option of
// its own, in order.
type ServerHooks struct {
	Middleware   []endpoint.Middleware                        // ServerMiddleware
	Before       []func(ctx context.Context) context.Context  // ServerBefore
	After        []func(ctx context.Context)                  // ServerAfter
	ErrorHandler []func(ctx context.Context, err error)       // ServerErrorHandler
	Finalizer    []func(ctx context.Context, outcome Outcome) // ServerFinalizer
}

// ClientHooks are the options of a client that all transports have. A harness sets each of the functions by an option of
// its own, in order.
type ClientHooks struct {
	Before    []func(ctx context.Context) context.Context  // ClientBefore
	After     []func(ctx context.Context) context.Context  // ClientAfter
	Finalizer []func(ctx context.Context, outcome Outcome) // ClientFinalizer
}

// Outcome is what a finalizer is told, on every transport.
type Outcome struct {
	Err                       error
	RequestSize, ResponseSize int64
}

// Link is a running server with its connections. Its methods are safe for concurrent use.
type Link interface {
	// Unary returns a client of a unary operation. The server may have the operation in another shape, or not at all.
	Unary(spec endpoint.Spec, hooks ClientHooks) (endpoint.Endpoint[Message, Message], error)
	// Stream returns a client of a streaming operation. The server may have the operation in another shape, or not at all.
	Stream(spec endpoint.Spec, hooks ClientHooks) (endpoint.Stream[Message, Message], error)
	// Shutdown ends the server gracefully, as the transport's own means do: unary calls finish, streams are ended at once.
	Shutdown(ctx context.Context) error
	// Close ends what is left of server and connections, and waits for it. Clients fail from then on. It returns an error when something
	// stays behind, such as a connection or a subscription. Closing twice does no harm.
	Close() error
}
