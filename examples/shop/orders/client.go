package orders

import "github.com/ashlar-go/ashlar/endpoint"

// What follows is the same on every transport.

func spec(method string) endpoint.Spec {
	return endpoint.Spec{Service: "shop.v1.Orders", Method: method, Idempotent: method == "Get"}
}

func feedSpec() endpoint.Spec {
	return endpoint.Spec{Service: "shop.v1.Orders", Method: "Feed", Kind: endpoint.ServerStream, Idempotent: true}
}

// feed is the one stream that every transport serves.
func feed(s *Service, mw endpoint.Middleware) endpoint.Stream[*Feed, *Order] {
	return endpoint.NewStream(feedSpec(), endpoint.FromServerStream(s.Feed), mw)
}

// Client is the service as others call it, by whichever transport.
type Client struct {
	Place endpoint.Endpoint[*Place, *Placed]
	Get   endpoint.Endpoint[*Get, *Order]
	Feed  endpoint.Stream[*Feed, *Order]
}

func newClient(
	place endpoint.Endpoint[*Place, *Placed], get endpoint.Endpoint[*Get, *Order], feed endpoint.Stream[*Feed, *Order], mw endpoint.Middleware,
) *Client {
	return &Client{
		Place: endpoint.New(spec("Place").Client(), place, mw),
		Get:   endpoint.New(spec("Get").Client(), get, mw),
		Feed:  endpoint.NewStream(feedSpec().Client(), feed, mw),
	}
}
