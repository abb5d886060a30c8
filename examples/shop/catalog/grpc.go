package catalog

import (
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// spec is that of a method; all of them may be called again, Reserve and Release by their keys.
func spec(method string) endpoint.Spec {
	return endpoint.Spec{Service: "shop.v1.Catalog", Method: method, Idempotent: true}
}

// Servers serves s over gRPC, each of its endpoints decorated with mw and each server set up by opts.
func Servers(s *Service, mw endpoint.Middleware, opts ...grpctransport.ServerOption) []*grpctransport.Server {
	with := func(own ...grpctransport.ServerOption) []grpctransport.ServerOption { return append(own, opts...) }
	return []*grpctransport.Server{
		grpctransport.NewServer(spec("Find"), endpoint.New(spec("Find"), s.Find, mw),
			with(grpctransport.ServerDecoder(findFromProto), grpctransport.ServerEncoder(pageToProto))...),
		grpctransport.NewServer(spec("Get"), endpoint.New(spec("Get"), s.Get, mw),
			with(grpctransport.ServerDecoder(getFromProto), grpctransport.ServerEncoder(productToProto))...),
		grpctransport.NewServer(spec("Reserve"), endpoint.New(spec("Reserve"), s.Reserve, mw),
			with(grpctransport.ServerDecoder(reserveFromProto), grpctransport.ServerEncoder(reservationToProto))...),
		grpctransport.NewServer(spec("Release"), endpoint.New(spec("Release"), s.Release, mw),
			with(grpctransport.ServerDecoder(releaseFromProto), grpctransport.ServerEncoder(releasedToProto))...),
	}
}

// Client is the catalog as others call it.
type Client struct {
	Find    endpoint.Endpoint[*Find, *Page]
	Get     endpoint.Endpoint[*Get, *Product]
	Reserve endpoint.Endpoint[*Reserve, *Reservation]
	Release endpoint.Endpoint[*Release, *Released]
}

// NewClient returns a client of the catalog at the other end of conn, each of its endpoints decorated with mw.
func NewClient(conn grpc.ClientConnInterface, mw endpoint.Middleware) (*Client, error) {
	find, err := grpctransport.NewClient[*Find, *Page](spec("Find"), conn,
		grpctransport.ClientEncoder(findToProto), grpctransport.ClientDecoder(pageFromProto))
	if err != nil {
		return nil, err
	}
	get, err := grpctransport.NewClient[*Get, *Product](spec("Get"), conn,
		grpctransport.ClientEncoder(getToProto), grpctransport.ClientDecoder(productFromProto))
	if err != nil {
		return nil, err
	}
	reserve, err := grpctransport.NewClient[*Reserve, *Reservation](spec("Reserve"), conn,
		grpctransport.ClientEncoder(reserveToProto), grpctransport.ClientDecoder(reservationFromProto))
	if err != nil {
		return nil, err
	}
	release, err := grpctransport.NewClient[*Release, *Released](spec("Release"), conn,
		grpctransport.ClientEncoder(releaseToProto), grpctransport.ClientDecoder(releasedFromProto))
	if err != nil {
		return nil, err
	}
	return &Client{
		Find:    endpoint.New(spec("Find").Client(), find, mw),
		Get:     endpoint.New(spec("Get").Client(), get, mw),
		Reserve: endpoint.New(spec("Reserve").Client(), reserve, mw),
		Release: endpoint.New(spec("Release").Client(), release, mw),
	}, nil
}
