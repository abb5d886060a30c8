package jsonrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// PlaceOrder is a request: by name, or by position in this order.
type PlaceOrder struct {
	SKU   string `json:"sku"`
	Count int    `json:"count"`
}

// Order is its response.
type Order struct {
	Text string `json:"text"`
}

func place(_ context.Context, r *PlaceOrder) (*Order, error) {
	if r.Count <= 0 {
		return nil, status.Invalid(status.Violation{Field: "count", Description: "must be positive"})
	}
	return &Order{Text: fmt.Sprintf("%d of %s", r.Count, r.SKU)}, nil
}

var placeSpec = endpoint.Spec{Service: "orders", Method: "Place"}

func newShop() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/rpc", jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(placeSpec, endpoint.New(placeSpec, place, endpoint.Recover())),
	}))
	return mux
}

func ExampleNewHandler() {
	mux := newShop()
	for _, document := range []string{
		`{"jsonrpc":"2.0","method":"orders/Place","params":{"sku":"CHI-1001","count":2},"id":1}`,
		`{"jsonrpc":"2.0","method":"orders/Place","params":["CHI-1001",0],"id":"two"}`,
		`{"jsonrpc":"2.0","method":"orders/Place","params":["CHI-1001",3]}`,
	} {
		r := httptest.NewRequest(http.MethodPost, "/rpc", strings.NewReader(document))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"jsonrpc":"2.0","result":{"text":"2 of CHI-1001"},"id":1}
	// 200 {"jsonrpc":"2.0","error":{"code":-32602,"message":"invalid request: count: must be positive","data":{"title":"Bad Request","status":400,"detail":"invalid request: count: must be positive","code":"invalid_argument","violations":[{"field":"count","description":"must be positive"}]}},"id":"two"}
	// 204
}

func ExampleNewClient() {
	server := httptest.NewServer(newShop())
	defer server.Close()

	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()
	call, err := jsonrpc.NewClient[*PlaceOrder, *Order](placeSpec.Client(), conn, "/rpc")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}

	order, err := call(context.Background(), &PlaceOrder{SKU: "CHI-1001", Count: 2})
	fmt.Println(order.Text, err)
	_, err = call(context.Background(), &PlaceOrder{SKU: "CHI-1001"})
	fmt.Println(status.CodeOf(err), status.As(err).Violations)
	// Output:
	// 2 of CHI-1001 <nil>
	// invalid_argument [count: must be positive]
}

func ExampleBatcher() {
	server := httptest.NewServer(newShop())
	defer server.Close()

	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()
	batcher, err := jsonrpc.NewBatcher(endpoint.Spec{Service: "orders", Method: "Batch"}, conn, "/rpc")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	place, err := jsonrpc.NewMethod[*PlaceOrder, *Order](placeSpec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}

	batch := batcher.Batch()
	first := place.Call(batch, &PlaceOrder{SKU: "CHI-1001", Count: 2})
	second := place.Call(batch, &PlaceOrder{SKU: "MAL-2002"})
	if err := batch.Do(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	order, err := first.Get()
	fmt.Println(order.Text, err)
	_, err = second.Get()
	fmt.Println(status.CodeOf(err), status.As(err).Message)
	// Output:
	// 2 of CHI-1001 <nil>
	// invalid_argument invalid request: count: must be positive
}

func ExampleError() {
	broke := status.New(status.FailedPrecondition, "the account is empty")
	handler := jsonrpc.NewHandler([]*jsonrpc.Server{
		jsonrpc.NewServer(placeSpec, func(context.Context, *PlaceOrder) (*Order, error) {
			return nil, &jsonrpc.Error{Code: 402, Data: []byte(`{"balance":0}`), Err: broke}
		}),
	})
	server := httptest.NewServer(handler)
	defer server.Close()

	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()
	call, err := jsonrpc.NewClient[*PlaceOrder, *Order](placeSpec.Client(), conn, "/")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	_, err = call(context.Background(), &PlaceOrder{})
	if own, ok := errors.AsType[*jsonrpc.Error](err); ok {
		fmt.Println(own.Code, own.Message, string(own.Data))
	}
	// Output:
	// 402 the account is empty {"balance":0}
}
