package inproc_test

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

type placeOrder struct {
	SKU   string
	Count int
}

type order struct{ Text string }

func place(ctx context.Context, request placeOrder) (order, error) {
	if request.Count <= 0 {
		return order{}, status.Invalid(status.Violation{Field: "Count", Description: "must be positive"})
	}
	info := transport.FromContext(ctx)
	info.Response.Set("X-Served-By", info.Transport)
	return order{Text: fmt.Sprintf("%d of %s for %s", request.Count, request.SKU, info.Request.Get("X-Tenant"))}, nil
}

func Example() {
	spec := endpoint.Spec{Service: "orders", Method: "Place"}

	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, endpoint.New(spec, place, endpoint.Recover())))

	call, err := inproc.NewClient[placeOrder, order](spec.Client(), &mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, info := transport.Observe(transport.WithHeader(context.Background(), "X-Tenant", "masons"))
	placed, err := call(ctx, placeOrder{SKU: "chisel", Count: 2})
	fmt.Println(placed.Text, err)
	fmt.Println(info.Info().Response.Get("X-Served-By"))

	_, err = call(ctx, placeOrder{SKU: "chisel"})
	fmt.Println(status.CodeOf(err), status.As(err).Violations)
	// Output:
	// 2 of chisel for masons <nil>
	// inproc
	// invalid_argument [Count: must be positive]
}

func ExampleNewStreamClient() {
	spec := endpoint.Spec{Service: "orders", Method: "Watch", Kind: endpoint.ServerStream}
	watch := endpoint.FromServerStream(func(_ context.Context, sku string, send func(string) error) error {
		for _, state := range []string{"packed", "sent"} {
			if err := send(sku + " is " + state); err != nil {
				return err
			}
		}
		return nil
	})

	var mux inproc.Mux
	mux.Handle(inproc.NewStreamServer(spec, watch))

	call, err := inproc.NewStreamClient[string, string](spec.Client(), &mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	for state, err := range call.Receive(context.Background(), "chisel") {
		fmt.Println(state, err)
	}
	// Output:
	// chisel is packed <nil>
	// chisel is sent <nil>
}

// The client has types of its own, as it would have over a network.
func ExampleClientCopy() {
	spec := endpoint.Spec{Service: "orders", Method: "Place"}

	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, place))

	call, err := inproc.NewClient[map[string]any, map[string]string](spec.Client(), &mux, inproc.ClientCopy(json.New()))
	if err != nil {
		fmt.Println(err)
		return
	}
	placed, err := call(context.Background(), map[string]any{"SKU": "chisel", "Count": 2})
	fmt.Println(placed["Text"], err)
	// Output: 2 of chisel for  <nil>
}
