package status_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// ErrOutOfStock is a sentinel of business code. A client finds it with errors.Is, by its code and its reason.
var ErrOutOfStock = status.New(status.FailedPrecondition, "out of stock").WithReason("OUT_OF_STOCK")

func Example() {
	place := func() error {
		cause := errors.New("update stock: constraint violated on postgres://shop:secret@db")
		return fmt.Errorf("placing order 7: %w", ErrOutOfStock.WithCause(cause).WithRetryAfter(time.Hour))
	}
	e := status.From(place())
	fmt.Println("on the wire:", string(e.AppendProblem(nil, 0, "")))

	var received status.Error
	if err := received.UnmarshalJSON(e.AppendProblem(nil, 0, "")); err != nil {
		fmt.Println(err)
	}
	fmt.Println("found by the client:", errors.Is(&received, ErrOutOfStock))
	// Output:
	// on the wire: {"title":"Bad Request","status":400,"detail":"out of stock","code":"failed_precondition","reason":"OUT_OF_STOCK","retryAfter":"3600s"}
	// found by the client: true
}

func ExampleInvalid() {
	err := errors.Join(
		status.Violation{Field: "sku", Description: "must not be empty"},
		status.Violation{Field: "items[3].price", Description: "must be positive"},
	)
	fmt.Println(status.As(status.Invalid(err)).Message)
	// Output: invalid request: sku: must not be empty; items[3].price: must be positive
}

func ExampleNewDetail() {
	type Left struct{ Left int }
	detail, err := status.NewDetail("shop.Left", Left{Left: 2})
	if err != nil {
		fmt.Println(err)
	}
	err = status.New(status.FailedPrecondition, "only two left").WithDetails(detail)

	if found, ok := status.DetailOf(err, "shop.Left"); ok {
		var left Left
		fmt.Println(found.Decode(&left), left.Left)
	}
	// Output: <nil> 2
}
