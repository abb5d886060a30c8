// Package endpoint is the block that everything else of Ashlar is laid on: an operation as a typed function, and the
// middleware that decorates it.
//
// An Endpoint has the same type where it is implemented and where it is called, so a client can be
// decorated, balanced and tested like a server. Its types are erased only inside middleware, so one Middleware value serves
// the endpoints of every type, unary and streaming, on both sides and on every transport.
package endpoint

import (
	"context"
	"fmt"
	"reflect"
)

// Endpoint is one operation: implemented by servers, called by clients. It is safe for concurrent use.
type Endpoint[Req, Resp any] func(ctx context.Context, request Req) (response Resp, err error)

// New decorates e with the middleware, the first outermost, and is what the operation that spec describes becomes on
// either side. The middleware is built here, once, and never per call. Without middleware New returns e.
//
// It panics when spec.Kind is set and is not Unary, and when a middleware is nil or returns nil: mistakes in the
// program that no input can cause.
func New[Req, Resp any](spec Spec, e Endpoint[Req, Resp], mw ...Middleware) Endpoint[Req, Resp] {
	if spec.Kind != 0 && spec.Kind != Unary {
		panic(fmt.Sprintf("endpoint: New of %s, whose kind is %v; use NewStream", spec.Operation(), spec.Kind))
	}
	if e == nil {
		panic("endpoint: New of " + spec.Operation() + " with a nil Endpoint")
	}
	if len(mw) == 0 {
		return e
	}
	spec.Kind = Unary
	operation := new(spec.Operation()) // a pointer, so that the closures on the call path stay small
	handler := decorate(spec, func(ctx context.Context, request any) (any, error) {
		if req, ok := request.(Req); ok {
			return e(ctx, req)
		}
		req, err := other[Req](*operation, "request", request)
		if err != nil {
			return nil, err
		}
		return e(ctx, req)
	}, mw)
	return func(ctx context.Context, request Req) (Resp, error) {
		response, err := handler(ctx, request)
		if resp, ok := response.(Resp); ok {
			return resp, err
		}
		if err != nil {
			var none Resp
			return none, err
		}
		return other[Resp](*operation, "response", response)
	}
}

// other returns T's zero value, and an error unless v is the nil of the interface type T. It is no part of New so that a
// call which needs none of it does not pay for its variables.
//
//go:noinline
func other[T any](operation, role string, v any) (zero T, err error) { //nolint:unparam // the zero value of a T need not be nil
	if isNilOf[T](v) {
		return zero, nil
	}
	return zero, mismatch[T](operation, role, v)
}

// isNilOf reports whether v is the nil of the interface type T, which a type assertion does not find.
func isNilOf[T any](v any) bool {
	return v == nil && reflect.TypeFor[T]().Kind() == reflect.Interface
}

// TypeError says that a middleware passed on a value of another type than the endpoint's. It is a defect of that
// middleware.
type TypeError struct {
	Operation string // the operation of the endpoint
	Role      string // "request" or "response"
	Want      string // the endpoint's type
	Have      string // the type of what the middleware passed on
}

// Error names both types.
func (e *TypeError) Error() string {
	return fmt.Sprintf("endpoint: %s: a middleware passed on a %s of type %s, want %s", e.Operation, e.Role, e.Have, e.Want)
}

func mismatch[Want any](operation, role string, have any) error {
	return &TypeError{Operation: operation, Role: role, Want: reflect.TypeFor[Want]().String(), Have: fmt.Sprintf("%T", have)}
}
