package orders

import (
	"github.com/ashlar-go/ashlar/endpoint"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// FeedServer serves the feed of s over NATS, decorated with mw and set up by opts.
func FeedServer(s *Service, mw endpoint.Middleware, opts ...natstransport.ServerOption) *natstransport.Server {
	return natstransport.NewStreamServer(feedSpec(), feed(s, mw), opts...)
}

// NewFeedClient returns the feed of the service that is on the other side of conn, decorated with mw.
func NewFeedClient(conn *natstransport.Conn, mw endpoint.Middleware) (endpoint.Stream[*Feed, *Order], error) {
	feed, err := natstransport.NewStreamClient[*Feed, *Order](feedSpec(), conn)
	if err != nil {
		return nil, err
	}
	return endpoint.NewStream(feedSpec().Client(), feed, mw), nil
}
