package endpoint

// Spec describes the operation that an endpoint is. A Middleware is told it once, when it decorates the endpoint, and
// makes there what it needs for that operation: its labels, its breaker, its limiter.
type Spec struct {
	// Service is the name of the service, such as "orders" or "shop.v1.Orders".
	Service string
	// Method is the name of the operation in that service, such as "Place".
	Method string
	// Kind is the shape of the operation. Left unset, New takes it as Unary and NewStream as Bidirectional.
	Kind Kind
	// Side tells the caller's end from the implementation's. Unset it is Server; Spec.Client returns the other.
	Side Side
	// Idempotent says that doing it twice does no more than doing it once, so that a retry is safe.
	Idempotent bool
}

// Operation returns "Service/Method", the one name that the operation has on every transport.
func (s Spec) Operation() string {
	if s.Service == "" {
		return s.Method
	}
	return s.Service + "/" + s.Method
}

// Client returns s as the caller's end sees it.
func (s Spec) Client() Spec {
	s.Side = Client
	return s
}

// Server returns s as the implementation's end sees it.
func (s Spec) Server() Spec {
	s.Side = Server
	return s
}

// Side is the end of a call at which an endpoint stands.
type Side uint8

const (
	Server Side = iota // The operation is implemented here.
	Client             // The operation is called from here.
)

// String returns "server" or "client".
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// Kind is the shape of an operation: how many messages go each way.
type Kind uint8

const (
	Unary         Kind = iota + 1 // One request, one response.
	ClientStream                  // Many requests, one response.
	ServerStream                  // One request, many responses.
	Bidirectional                 // Many of both, in any order.
)

// String returns "unary", "client stream", "server stream" or "bidirectional".
func (k Kind) String() string {
	switch k {
	case Unary:
		return "unary"
	case ClientStream:
		return "client stream"
	case ServerStream:
		return "server stream"
	case Bidirectional:
		return "bidirectional"
	}
	return "unset"
}
