package orders

import (
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// Servers serves s over gRPC, each of its endpoints decorated with mw and each server set up by opts.
func Servers(s *Service, mw endpoint.Middleware, opts ...grpctransport.ServerOption) []*grpctransport.Server {
	with := func(own ...grpctransport.ServerOption) []grpctransport.ServerOption { return append(own, opts...) }
	return []*grpctransport.Server{
		grpctransport.NewServer(spec("Place"), endpoint.New(spec("Place"), s.Place, mw),
			with(grpctransport.ServerDecoder(placeFromProto), grpctransport.ServerEncoder(placedToProto))...),
		grpctransport.NewServer(spec("Get"), endpoint.New(spec("Get"), s.Get, mw),
			with(grpctransport.ServerDecoder(getFromProto), grpctransport.ServerEncoder(orderToProto))...),
		grpctransport.NewStreamServer(feedSpec(), feed(s, mw),
			with(grpctransport.ServerDecoder(feedFromProto), grpctransport.ServerEncoder(orderToProto))...),
	}
}

// NewGRPCClient returns a client of the service at the other end of conn, each of its endpoints decorated with mw.
func NewGRPCClient(conn grpc.ClientConnInterface, mw endpoint.Middleware) (*Client, error) {
	place, err := grpctransport.NewClient[*Place, *Placed](spec("Place"), conn,
		grpctransport.ClientEncoder(placeToProto), grpctransport.ClientDecoder(placedFromProto))
	if err != nil {
		return nil, err
	}
	get, err := grpctransport.NewClient[*Get, *Order](spec("Get"), conn,
		grpctransport.ClientEncoder(getToProto), grpctransport.ClientDecoder(orderFromProto))
	if err != nil {
		return nil, err
	}
	feed, err := grpctransport.NewStreamClient[*Feed, *Order](feedSpec(), conn,
		grpctransport.ClientEncoder(feedToProto), grpctransport.ClientDecoder(orderFromProto))
	if err != nil {
		return nil, err
	}
	return newClient(place, get, feed, mw), nil
}
