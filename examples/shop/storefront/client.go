package storefront

import (
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Client is the shop as customers call it.
type Client struct {
	Find  endpoint.Endpoint[*catalog.Find, *catalog.Page]
	Get   endpoint.Endpoint[*catalog.Get, *catalog.Product]
	Place endpoint.Endpoint[*orders.Place, *orders.Placed]
	Order endpoint.Endpoint[*orders.Get, *orders.Order]
	Feed  endpoint.Stream[*orders.Feed, *orders.Order]
}

// NewClient returns a client of the storefront at the other end of conn, each of its endpoints decorated with mw. The options are for
// its feed.
func NewClient(conn *httptransport.Conn, mw endpoint.Middleware, opts ...httptransport.ClientOption) (*Client, error) {
	find, err := httptransport.NewClient[*catalog.Find, *catalog.Page](spec("FindProducts"), conn, findRoute)
	if err != nil {
		return nil, err
	}
	get, err := httptransport.NewClient[*catalog.Get, *catalog.Product](spec("GetProduct"), conn, getRoute)
	if err != nil {
		return nil, err
	}
	place, err := httptransport.NewClient[*orders.Place, *orders.Placed](spec("PlaceOrder"), conn, placeRoute)
	if err != nil {
		return nil, err
	}
	order, err := httptransport.NewClient[*orders.Get, *orders.Order](spec("GetOrder"), conn, orderRoute)
	if err != nil {
		return nil, err
	}
	feed, err := httptransport.NewStreamClient[*orders.Feed, *orders.Order](feedSpec(), conn, feedRoute, opts...)
	if err != nil {
		return nil, err
	}
	return &Client{
		Find:  endpoint.New(spec("FindProducts").Client(), find, mw),
		Get:   endpoint.New(spec("GetProduct").Client(), get, mw),
		Place: endpoint.New(spec("PlaceOrder").Client(), place, mw),
		Order: endpoint.New(spec("GetOrder").Client(), order, mw),
		Feed:  endpoint.NewStream(feedSpec().Client(), feed, mw),
	}, nil
}
