package grpcresolver_test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/grpcresolver"
)

func Example() {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	g := grpc.NewServer()
	testpb.RegisterTestServiceServer(g, &server{Listener: listener})
	served := make(chan error)
	go func() { served <- g.Serve(listener) }()

	// Any Instancer will do: of a registry, or of addresses that are known.
	orders, err := sd.NewStaticAddresses(listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	find := func(service string) (sd.Instancer, error) {
		fmt.Println("looking for", service)
		return orders, nil
	}
	builder, err := grpcresolver.NewBuilder("shop", find)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := grpc.NewClient("shop:///orders", grpc.WithResolvers(builder), grpc.WithDefaultServiceConfig(grpcresolver.RoundRobin),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := testpb.NewTestServiceClient(conn).UnaryCall(context.Background(), &testpb.SimpleRequest{})
	fmt.Println(response.GetServerId() == listener.Addr().String(), err)

	fmt.Println(conn.Close())
	g.GracefulStop()
	fmt.Println(<-served)
	// Output:
	// looking for orders
	// true <nil>
	// <nil>
	// <nil>
}
