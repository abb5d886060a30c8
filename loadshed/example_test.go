package loadshed_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func Example() {
	shedder, err := loadshed.New(loadshed.OnEvent(func(e loadshed.Event) { fmt.Println(e.Kind, "with the limit", e.Status.Limit) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	cut := endpoint.Spec{Service: "quarry", Method: "Cut"}
	server := inproc.NewServer(cut, func(_ context.Context, name string) (string, error) { return "a " + name, nil },
		inproc.ServerMiddleware(shedder.Middleware))

	var mux inproc.Mux
	mux.Handle(server)
	call, err := inproc.NewClient[string, string](cut, &mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call(context.Background(), "block"))
	// Output: a block <nil>
}

func ExampleShedder_Acquire() {
	shedder, err := loadshed.New(loadshed.FixedLimit(1), loadshed.QueueRoom(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := shedder.Acquire(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = shedder.Acquire(context.Background()) // while the first is in progress
	e := status.As(err)
	fmt.Println(e.Code, e.Reason, errors.Is(err, loadshed.ErrFull), e.RetryAfter > 0)
	done(nil)
	fmt.Println(shedder.Status().Refused.Full.Default)
	// Output:
	// unavailable OVERLOADED true true
	// 1
}

func ExampleNewBulkhead() {
	payments, err := loadshed.NewBulkhead(10, loadshed.BulkheadWait(100*time.Millisecond, 20))
	if err != nil {
		fmt.Println(err)
		return
	}
	pay := endpoint.New(endpoint.Spec{Service: "payments", Method: "Pay", Side: endpoint.Client},
		func(_ context.Context, cents int) (string, error) { return fmt.Sprintf("paid %d", cents), nil }, payments.Middleware)
	fmt.Println(pay(context.Background(), 250))
	// Output: paid 250 <nil>
}
