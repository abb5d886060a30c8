package payments

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

func chargeSpec() endpoint.Spec {
	return endpoint.Spec{Service: "shop.v1.Payments", Method: "Charge", Idempotent: true} // by its key
}

// Server serves s over NATS, decorated with mw and set up by opts. Nobody is charged but who calls.
func Server(s *Service, mw endpoint.Middleware, opts ...natstransport.ServerOption) *natstransport.Server {
	own := authz.By(func(_ context.Context, caller *auth.Principal, charge *Charge) error {
		if charge.Customer != caller.Subject {
			return fmt.Errorf("%v wants %q to be charged", caller, charge.Customer)
		}
		return nil
	})
	return natstransport.NewServer(chargeSpec(), endpoint.New(chargeSpec(), s.Charge, mw, own), opts...)
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
