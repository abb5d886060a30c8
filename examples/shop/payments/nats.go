package payments

import (
	"github.com/ashlar-go/ashlar/endpoint"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

func chargeSpec() endpoint.Spec {
	return endpoint.Spec{Service: "shop.v1.Payments", Method: "Charge", Idempotent: true} // by its key
}

// Server serves s over NATS, decorated with mw and set up by opts.
func Server(s *Service, mw endpoint.Middleware, opts ...natstransport.ServerOption) *natstransport.Server {
	return natstransport.NewServer(chargeSpec(), endpoint.New(chargeSpec(), s.Charge, mw), opts...)
}

// Client is the service as others call it.
type Client struct {
	Charge endpoint.Endpoint[*Charge, *Payment]
}

// NewClient returns a client of the service that is on the other side of conn, decorated with mw.
func NewClient(conn *natstransport.Conn, mw endpoint.Middleware) (*Client, error) {
	charge, err := natstransport.NewClient[*Charge, *Payment](chargeSpec(), conn)
	if err != nil {
		return nil, err
	}
	return &Client{Charge: endpoint.New(chargeSpec().Client(), charge, mw)}, nil
}
