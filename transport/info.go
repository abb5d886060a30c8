// Package transport holds what all transports have in common: what middleware and user code can know of a call (Info),
// its header fields, how deadlines travel, and what a failed call can say about itself.
//
// The transports themselves are the packages below this one, and none of them is linked with it.
package transport

import (
	"context"
	"crypto/tls"
)

// Info describes one call as its transport sees it, with the same fields on both sides.
type Info struct {
	// Transport is the name of the transport: "http", "grpc", "nats", "inproc".
	Transport string
	// Operation is Spec.Operation of the endpoint.
	Operation string
	// Peer is the network address of the other side, "host:port"; empty where there is none.
	Peer string
	// TLS is the state of the connection's encryption, nil where there is none.
	TLS *tls.ConnectionState

	// Request holds the header fields that came, or went, with the request. A server must not change them.
	Request Header
	// Response holds the header fields of the response. A server sets them until its endpoint returns, on a stream until
	// it sends the first message; after that they have no effect.
	Response Header
	// Trailer holds the fields that follow the response, where the transport has them; else they join Response. A
	// server sets them until its endpoint returns.
	Trailer Header

	// RequestSize and ResponseSize count the bytes of the encoded messages, before any compression. A server knows
	// RequestSize when the request has been read and ResponseSize in its finalizers.
	RequestSize, ResponseSize int64
}

type serverKey struct{}

// ServerContext is the context in which a server transport serves one call, with the Info of that call. It is for transports that make it
// part of their own state of a call, so that it costs no allocation; NewServerContext is for the others.
type ServerContext struct {
	context.Context

	// Info is what FromContext finds.
	Info Info
}

// Value finds the Info, and else what the context within does.
func (c *ServerContext) Value(key any) any {
	if key == (serverKey{}) || key == (priorityKey{}) {
		return &c.Info
	}
	return c.Context.Value(key)
}

// NewServerContext returns the context in which a server transport serves one call, and the Info in it.
func NewServerContext(ctx context.Context, info Info) (context.Context, *Info) {
	c := &ServerContext{Context: ctx, Info: info}
	return c, &c.Info
}

// FromContext returns the Info of the call being served, nil outside of any. It is not that of calls which the endpoint makes in
// turn; see Observe for those. It may be used until the endpoint returns, on the goroutine of the call.
func FromContext(ctx context.Context) *Info {
	info, _ := ctx.Value(serverKey{}).(*Info)
	return info
}
