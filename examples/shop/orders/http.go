package orders

import (
	"net/http"

	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const (
	placeRoute = "POST /orders"
	getRoute   = "GET /orders/{id}"
	feedRoute  = "GET /orders/feed"
)

// Handler serves s over HTTP, each of its endpoints decorated with mw and each server set up by opts.
func Handler(s *Service, mw endpoint.Middleware, opts ...httptransport.ServerOption) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(placeRoute, httptransport.NewServer(spec("Place"), endpoint.New(spec("Place"), s.Place, mw), opts...))
	mux.Handle(getRoute, httptransport.NewServer(spec("Get"), endpoint.New(spec("Get"), s.Get, mw), opts...))
	mux.Handle(feedRoute, httptransport.NewStreamServer(feedSpec(), feed(s, mw), opts...))
	return mux
}

// NewHTTPClient returns a client of the service at the other end of conn, each of its endpoints decorated with mw.
func NewHTTPClient(conn *httptransport.Conn, mw endpoint.Middleware) (*Client, error) {
	place, err := httptransport.NewClient[*Place, *Placed](spec("Place"), conn, placeRoute)
	if err != nil {
		return nil, err
	}
	get, err := httptransport.NewClient[*Get, *Order](spec("Get"), conn, getRoute)
	if err != nil {
		return nil, err
	}
	feed, err := httptransport.NewStreamClient[*Feed, *Order](feedSpec(), conn, feedRoute)
	if err != nil {
		return nil, err
	}
	return newClient(place, get, feed, mw), nil
}
