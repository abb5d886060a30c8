package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// A service is plain Go.
type orders struct{}

type placeOrder struct {
	SKU   string
	Count int
}

func (p placeOrder) Validate() error {
	if p.Count <= 0 {
		return status.Violation{Field: "count", Description: "must be positive"}
	}
	return nil
}

func (orders) Place(_ context.Context, request placeOrder) (string, error) {
	return fmt.Sprintf("%d of %s", request.Count, request.SKU), nil
}

func (orders) Watch(_ context.Context, sku string, send func(string) error) error {
	for _, state := range []string{"packed", "sent"} {
		if err := send(sku + " is " + state); err != nil {
			return err
		}
	}
	return nil
}

// One chain of middleware serves all endpoints of a service, whatever their types and shapes.
func Example() {
	var svc orders
	common := endpoint.Chain(endpoint.Recover(), endpoint.Timeout(time.Second), endpoint.Validate())
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, svc.Place, common)
	watch := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "Watch", Kind: endpoint.ServerStream}, endpoint.FromServerStream(svc.Watch), common)

	ctx := context.Background()
	fmt.Println(place(ctx, placeOrder{SKU: "chisel", Count: 2}))
	_, err := place(ctx, placeOrder{SKU: "chisel"})
	fmt.Println(err)
	for state, err := range watch.Receive(ctx, "chisel") {
		fmt.Println(state, err)
	}
	// Output:
	// 2 of chisel <nil>
	// invalid_argument: invalid request: count: must be positive
	// chisel is packed <nil>
	// chisel is sent <nil>
}

// A middleware does what depends on the operation once, when it decorates the endpoint.
func ExampleMiddleware() {
	counts := make(map[string]*int)
	counting := func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		count := new(int)
		counts[spec.Operation()] = count
		return func(ctx context.Context, request any) (any, error) {
			*count++ // safe here, since one call follows the other
			return next(ctx, request)
		}
	}
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, orders{}.Place, counting)
	for range 3 {
		_, _ = place(context.Background(), placeOrder{SKU: "chisel", Count: 1})
	}
	fmt.Println(*counts["orders/Place"])
	// Output: 3
}

// A middleware that looks at each message of a stream adds hooks, and leaves the rest to the stream.
func ExampleMessages() {
	logging := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			if messages, ok := request.(*endpoint.Messages); ok {
				request = messages.WithHooks(
					func(message any) error { fmt.Println("in: ", message); return nil },
					func(message any) error { fmt.Println("out:", message); return nil },
				)
			}
			return next(ctx, request)
		}
	}
	watch := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "Watch", Kind: endpoint.ServerStream}, endpoint.FromServerStream(orders{}.Watch), logging)
	for range watch.Receive(context.Background(), "chisel") {
	}
	// Output:
	// in:  chisel
	// out: chisel is packed
	// out: chisel is sent
}

func ExampleFallback() {
	down := func(context.Context, string) (int, error) {
		return 0, status.New(status.Unavailable, "the stock service is down")
	}
	assume := endpoint.Fallback(func(_ context.Context, _ string, err error) (int, error) {
		if errors.Is(err, status.New(status.Unavailable, "")) {
			return 1, nil
		}
		return 0, err
	})
	stock := endpoint.New(endpoint.Spec{Service: "stock", Method: "Left"}.Client(), down, assume)
	fmt.Println(stock(context.Background(), "chisel"))
	// Output: 1 <nil>
}
