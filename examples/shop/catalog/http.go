package catalog

import (
	"net/http"

	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const (
	findRoute    = "GET /products"
	getRoute     = "GET /products/{sku}"
	reserveRoute = "POST /reservations"
)

func spec(method string) endpoint.Spec {
	return endpoint.Spec{Service: "catalog", Method: method, Idempotent: method != "Reserve"}
}

// Handler serves s over HTTP, each of its endpoints decorated with mw and each server set up by opts.
func Handler(s *Service, mw endpoint.Middleware, opts ...httptransport.ServerOption) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(findRoute, httptransport.NewServer(spec("Find"), endpoint.New(spec("Find"), s.Find, mw), opts...))
	mux.Handle(getRoute, httptransport.NewServer(spec("Get"), endpoint.New(spec("Get"), s.Get, mw), opts...))
	mux.Handle(reserveRoute, httptransport.NewServer(spec("Reserve"), endpoint.New(spec("Reserve"), s.Reserve, mw), opts...))
	return mux
}

// Client is the catalog as others call it.
type Client struct {
	Find    endpoint.Endpoint[*Find, *Page]
	Get     endpoint.Endpoint[*Get, *Product]
	Reserve endpoint.Endpoint[*Reserve, *Reservation]
}

// NewClient returns a client of the catalog at the other end of conn, each of its endpoints decorated with mw.
func NewClient(conn *httptransport.Conn, mw endpoint.Middleware) (*Client, error) {
	find, err := httptransport.NewClient[*Find, *Page](spec("Find"), conn, findRoute)
	if err != nil {
		return nil, err
	}
	get, err := httptransport.NewClient[*Get, *Product](spec("Get"), conn, getRoute)
	if err != nil {
		return nil, err
	}
	reserve, err := httptransport.NewClient[*Reserve, *Reservation](spec("Reserve"), conn, reserveRoute)
	if err != nil {
		return nil, err
	}
	return &Client{
		Find:    endpoint.New(spec("Find").Client(), find, mw),
		Get:     endpoint.New(spec("Get").Client(), get, mw),
		Reserve: endpoint.New(spec("Reserve").Client(), reserve, mw),
	}, nil
}
