// Package storefront is the shop's public face. It has no logic of its own: an endpoint has the same type where it is called
// and where it is served, so each of its operations is a client of the service behind, served again.
package storefront

import (
	"net/http"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const (
	findRoute  = "GET /products"
	getRoute   = "GET /products/{sku}"
	placeRoute = "POST /orders"
	orderRoute = "GET /orders/{id}"
	feedRoute  = "GET /orders/feed"
)

func spec(method string) endpoint.Spec {
	return endpoint.Spec{Service: "storefront", Method: method, Idempotent: method != "PlaceOrder"}
}

func feedSpec() endpoint.Spec {
	return endpoint.Spec{Service: "storefront", Method: "OrderFeed", Kind: endpoint.ServerStream, Idempotent: true}
}

// Handle serves what customers may do, each endpoint decorated with mw and each server set up by opts.
func Handle(
	mux *http.ServeMux, products *catalog.Client, sales *orders.Client, mw endpoint.Middleware, opts ...httptransport.ServerOption,
) {
	serve(mux, findRoute, spec("FindProducts"), products.Find, mw, opts)
	serve(mux, getRoute, spec("GetProduct"), products.Get, mw, opts)
	serve(mux, placeRoute, spec("PlaceOrder"), sales.Place, mw, opts)
	serve(mux, orderRoute, spec("GetOrder"), sales.Get, mw, opts)
	mux.Handle(feedRoute, httptransport.NewStreamServer(feedSpec(), endpoint.NewStream(feedSpec(), sales.Feed, mw), opts...))
}

func serve[Req, Resp any](
	mux *http.ServeMux, route string, spec endpoint.Spec, e endpoint.Endpoint[Req, Resp], mw endpoint.Middleware,
	opts []httptransport.ServerOption,
) {
	mux.Handle(route, httptransport.NewServer(spec, endpoint.New(spec, e, mw), opts...))
}
