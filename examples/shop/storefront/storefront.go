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

// Handler serves what customers may do, each endpoint decorated with mw and each server set up by opts.
func Handler(products *catalog.Client, sales *orders.Client, mw endpoint.Middleware, opts ...httptransport.ServerOption) http.Handler {
	mux := http.NewServeMux()
	serve(mux, "GET /products", "FindProducts", products.Find, mw, opts)
	serve(mux, "GET /products/{sku}", "GetProduct", products.Get, mw, opts)
	serve(mux, "POST /orders", "PlaceOrder", sales.Place, mw, opts)
	serve(mux, "GET /orders/{id}", "GetOrder", sales.Get, mw, opts)
	feed := endpoint.Spec{Service: "storefront", Method: "OrderFeed", Kind: endpoint.ServerStream}
	mux.Handle("GET /orders/feed", httptransport.NewStreamServer(feed, endpoint.NewStream(feed, sales.Feed, mw), opts...))
	return mux
}

func serve[Req, Resp any](
	mux *http.ServeMux, pattern, method string, e endpoint.Endpoint[Req, Resp], mw endpoint.Middleware, opts []httptransport.ServerOption,
) {
	spec := endpoint.Spec{Service: "storefront", Method: method}
	mux.Handle(pattern, httptransport.NewServer(spec, endpoint.New(spec, e, mw), opts...))
}
