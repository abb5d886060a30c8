// Package grpcresolver gives the instances of an sd.Instancer to grpc-go, for those who leave the choice of an instance for each call to
// its own balancing.
//
//	find := func(service string) (sd.Instancer, error) { return etcd.NewInstancer(client, service) }
//	builder, err := grpcresolver.NewBuilder("etcd", find)
//	...
//	conn, err := grpc.NewClient("etcd:///orders", grpc.WithResolvers(builder),
//		grpc.WithDefaultServiceConfig(grpcresolver.RoundRobin), ...)
//
// A connection watches its service from the first call until it is closed, or has been idle for long, and then from the next call. For
// several connections to one service find returns the same sd.Cache.
package grpcresolver
