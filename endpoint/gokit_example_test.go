package endpoint_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// The types of github.com/go-kit/kit/endpoint, written out here so that nothing depends on Go kit.
type (
	gokitEndpoint   func(ctx context.Context, request any) (response any, err error)
	gokitMiddleware func(gokitEndpoint) gokitEndpoint
)

// fromGokit is the whole adapter.
func fromGokit(m gokitMiddleware) endpoint.Middleware {
	return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return endpoint.Handler(m(gokitEndpoint(next)))
	}
}

// A middleware that was written for Go kit decorates an endpoint of any type.
func Example_gokitMiddleware() {
	logging := func(next gokitEndpoint) gokitEndpoint {
		return func(ctx context.Context, request any) (any, error) {
			begin := time.Now()
			response, err := next(ctx, request)
			fmt.Println(request, response, err, time.Since(begin) < time.Minute)
			return response, err
		}
	}
	upper := func(_ context.Context, name string) (int, error) { return len(name), nil }
	e := endpoint.New(endpoint.Spec{Service: "names", Method: "Length"}, upper, fromGokit(logging))
	_, _ = e(context.Background(), "Ashlar")
	// Output: Ashlar 6 <nil> true
}
