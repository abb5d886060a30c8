package deadline_test

import (
	"context"
	"errors"
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

// A client calls A, which calls B. Each of the two keeps something back, so that each still has time when what it has called has none left.
func ExampleAllowance_twoHops() {
	var (
		mux  inproc.Mux
		ends time.Time // for the client
	)
	before := func(ctx context.Context) time.Duration {
		deadline, _ := ctx.Deadline()
		return ends.Sub(deadline)
	}
	clientOf := func(spec endpoint.Spec, keep time.Duration) (endpoint.Endpoint[string, string], error) {
		allowance, err := deadline.NewAllowance(keep)
		if err != nil {
			return nil, err
		}
		call, err := inproc.NewClient[string, string](spec.Client(), &mux)
		return endpoint.New(spec.Client(), call, allowance.Middleware), err
	}

	specA, specB := endpoint.Spec{Service: "a", Method: "Ask"}, endpoint.Spec{Service: "b", Method: "Ask"}
	callA, errA := clientOf(specA, 100*time.Millisecond) // the client's
	callB, errB := clientOf(specB, 200*time.Millisecond) // A's
	if err := errors.Join(errA, errB); err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle(inproc.NewServer(specA, func(ctx context.Context, name string) (string, error) {
		fmt.Println("A has until", before(ctx), "before the client's deadline")
		answer, err := callB(ctx, name)
		if err != nil {
			answer = fmt.Sprintf("A's own answer to %s, since B: %v", name, status.CodeOf(err))
		}
		return answer, ctx.Err() // A still has time
	}))
	mux.Handle(inproc.NewServer(specB, func(ctx context.Context, _ string) (string, error) {
		fmt.Println("B has until", before(ctx), "before the client's deadline")
		<-ctx.Done() // it hangs
		return "", status.From(ctx.Err())
	}))

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	ends, _ = ctx.Deadline()
	fmt.Println(callA(ctx, "the client"))
	// Output:
	// A has until 100ms before the client's deadline
	// B has until 300ms before the client's deadline
	// A's own answer to the client, since B: deadline_exceeded <nil>
}
