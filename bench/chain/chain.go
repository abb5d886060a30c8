// Package chain compares what five middlewares that do nothing cost around an endpoint that does as little: in Ashlar, and in a
// chain of Go kit's as it is written by hand.
package chain

import (
	"context"

	kit "github.com/go-kit/kit/endpoint"

	"github.com/ashlar-go/ashlar/endpoint"
)

// Value is a request and a response that is passed by value, and does not fit into an interface without an allocation.
type Value struct{ A, B int }

// Call is a typed call through a chain.
type Call[T any] func(ctx context.Context, request T) (T, error)

// Echo answers with the request.
func Echo[T any](_ context.Context, request T) (T, error) { return request, nil }

// Ashlar returns e behind the five.
func Ashlar[T any](e endpoint.Endpoint[T, T]) Call[T] {
	nop := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) { return next(ctx, request) }
	}
	spec := endpoint.Spec{Service: "bench", Method: "Echo"}
	return Call[T](endpoint.New(spec, e, nop, nop, nop, nop, nop))
}

// GoKit returns e behind the five, and typed again in front of them, as a caller of Go kit writes it by hand.
func GoKit[T any](e Call[T]) Call[T] {
	nop := func(next kit.Endpoint) kit.Endpoint {
		return func(ctx context.Context, request any) (any, error) { return next(ctx, request) }
	}
	chained := kit.Chain(nop, nop, nop, nop, nop)(func(ctx context.Context, request any) (any, error) {
		return e(ctx, request.(T))
	})
	return func(ctx context.Context, request T) (T, error) {
		response, err := chained(ctx, request)
		if err != nil {
			var none T
			return none, err
		}
		return response.(T), nil
	}
}
