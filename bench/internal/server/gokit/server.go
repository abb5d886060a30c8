// Package gokit serves by Go kit's HTTP transport.
package gokit

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/go-kit/kit/endpoint"
	httptransport "github.com/go-kit/kit/transport/http"

	"github.com/ashlar-go/ashlar/bench/internal/model"
)

// Handler returns the handler of both operations.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /sum", httptransport.NewServer(sum(), decode[model.SumRequest], httptransport.EncodeJSONResponse))
	mux.Handle("POST /orders", httptransport.NewServer(price(), decode[model.Orders], httptransport.EncodeJSONResponse))
	return mux
}

func sum() endpoint.Endpoint {
	return func(_ context.Context, request any) (any, error) {
		return model.Sum(request.(model.SumRequest)), nil
	}
}

func price() endpoint.Endpoint {
	return func(_ context.Context, request any) (any, error) {
		return model.Price(request.(model.Orders)), nil
	}
}

func decode[Req any](_ context.Context, r *http.Request) (any, error) {
	var request Req
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		return nil, err
	}
	return request, nil
}
