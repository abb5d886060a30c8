// Package ashlar serves by Ashlar's HTTP transport.
package ashlar

import (
	"context"
	"net/http"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Handler returns the handler of both operations.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /sum", httptransport.NewServer(endpoint.Spec{Service: "bench", Method: "Sum"}, sum))
	mux.Handle("POST /orders", httptransport.NewServer(endpoint.Spec{Service: "bench", Method: "Price"}, price))
	return mux
}

func sum(_ context.Context, request model.SumRequest) (model.SumResponse, error) {
	return model.Sum(request), nil
}

func price(_ context.Context, request model.Orders) (model.Orders, error) {
	return model.Price(request), nil
}
