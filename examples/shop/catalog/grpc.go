package catalog

import (
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
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

// NewClient returns a client of the catalog that calls the instances of the pool, each of its endpoints decorated with mw.
func NewClient(pool *lb.Pool[*grpc.ClientConn], mw endpoint.Middleware) (c *Client, err error) {
	c = new(Client)
	if c.Find, err = client[*Find, *Page](pool, "Find", mw,
		grpctransport.ClientEncoder(findToProto), grpctransport.ClientDecoder(pageFromProto)); err != nil {
		return nil, err
	}
	if c.Get, err = client[*Get, *Product](pool, "Get", mw,
		grpctransport.ClientEncoder(getToProto), grpctransport.ClientDecoder(productFromProto)); err != nil {
		return nil, err
	}
	if c.Reserve, err = client[*Reserve, *Reservation](pool, "Reserve", mw,
		grpctransport.ClientEncoder(reserveToProto), grpctransport.ClientDecoder(reservationFromProto)); err != nil {
		return nil, err
	}
	if c.Release, err = client[*Release, *Released](pool, "Release", mw,
		grpctransport.ClientEncoder(releaseToProto), grpctransport.ClientDecoder(releasedFromProto)); err != nil {
		return nil, err
	}
	return c, nil
}

// client returns the endpoint of a method over all instances of the pool.
func client[Req, Resp any](
	pool *lb.Pool[*grpc.ClientConn], method string, mw endpoint.Middleware, opts ...grpctransport.ClientOption,
) (endpoint.Endpoint[Req, Resp], error) {
	e, err := lb.Endpoint(spec(method), pool, func(conn *grpc.ClientConn) (endpoint.Endpoint[Req, Resp], error) {
		return grpctransport.NewClient[Req, Resp](spec(method), conn, opts...)
	})
	if err != nil {
		return nil, err
	}
	return endpoint.New(spec(method).Client(), e, mw), nil
}
