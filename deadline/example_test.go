package deadline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// A service calls another for its caller, and has a second answer if that one is late.
func Example() {
	spec := endpoint.Spec{Service: "prices", Method: "Get", Idempotent: true}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done() // it hangs
		return "", status.From(ctx.Err())
	}))
	prices, err := inproc.NewClient[string, string](spec.Client(), &mux)
	if err != nil {
		fmt.Println(err)
		return
	}

	allowance, err := deadline.NewAllowance(20 * time.Millisecond)
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := deadline.NewGuard()
	if err != nil {
		fmt.Println(err)
		return
	}
	stale := endpoint.Fallback(func(_ context.Context, sku string, err error) (string, error) {
		return "yesterday's price of " + sku + ", since: " + status.CodeOf(err).String(), nil
	})
	prices = endpoint.New(spec.Client(), prices, stale, allowance.Middleware, guard.Middleware)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	price, err := prices(ctx, "chisel")
	fmt.Println(price, err)
	// Output: yesterday's price of chisel, since: deadline_exceeded <nil>
}

func ExampleGuard() {
	guard, err := deadline.NewGuard(deadline.GuardSamples(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := endpoint.Spec{Service: "reports", Method: "Year"}
	report := endpoint.New(spec.Client(), func(context.Context, int) (string, error) {
		<-time.After(20 * time.Millisecond)
		return "done", nil
	}, guard.Middleware)

	text, err := report(context.Background(), 2025)
	fmt.Println(text, err)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = report(ctx, 2025)
	fmt.Println(status.As(err).Reason, guard.Status()[0].Refused)
	// Output:
	// done <nil>
	// DEADLINE_UNREACHABLE 1
}
