package endpoint

import (
	"fmt"
	"slices"
)

// Handler is an Endpoint whose types are erased; only middleware sees it. On a unary operation the request and the response
// are the endpoint's own. On a stream the request is a *Messages and the response is nil. Around a server's decoding, where a
// transport puts it before there is such a request, the request is the transport's own.
type Handler = Endpoint[any, any]

// Middleware decorates the handler of the operation that spec describes. It is called once per endpoint, when that is
// built; what it returns is called for every call, and must be safe for concurrent use.
//
// A middleware that has no use for an operation, by its kind, side or name, returns next itself and then costs nothing.
type Middleware func(spec Spec, next Handler) Handler

// Chain makes one middleware of several. The first is the outermost: it sees the request first and the response last.
func Chain(outer Middleware, others ...Middleware) Middleware {
	all := append([]Middleware{outer}, others...)
	return func(spec Spec, next Handler) Handler { return decorate(spec, next, all) }
}

// decorate applies the middleware to h, the first outermost.
func decorate(spec Spec, h Handler, mw []Middleware) Handler {
	for i, m := range slices.Backward(mw) {
		if m == nil {
			panic(fmt.Sprintf("endpoint: %s: middleware %d is nil", spec.Operation(), i))
		}
		if h = m(spec, h); h == nil {
			panic(fmt.Sprintf("endpoint: %s: middleware %d returned a nil Handler", spec.Operation(), i))
		}
	}
	return h
}
