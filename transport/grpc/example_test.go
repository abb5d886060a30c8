package grpctransport_test

import (
	"context"
	"fmt"
	"net"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// The messages are those of gRPC's own test service; yours are what protoc-gen-go made of your files.
func Example() {
	unary := endpoint.Spec{Service: "grpc.testing.TestService", Method: "UnaryCall"}
	feed := endpoint.Spec{Service: "grpc.testing.TestService", Method: "StreamingOutputCall", Kind: endpoint.ServerStream}

	cut := func(ctx context.Context, r *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
		if r.GetResponseSize() <= 0 {
			return nil, status.Invalid(status.Violation{Field: "response_size", Description: "must be positive"})
		}
		info := transport.FromContext(ctx)
		info.Response.Set("X-Served-By", info.Transport)
		return &testpb.SimpleResponse{Username: info.Request.Get("X-Tenant")}, nil
	}
	count := endpoint.FromServerStream(func(_ context.Context, r *testpb.StreamingOutputCallRequest,
		send func(*testpb.StreamingOutputCallResponse) error,
	) error {
		for range r.GetResponseParameters() {
			if err := send(&testpb.StreamingOutputCallResponse{}); err != nil {
				return err
			}
		}
		return nil
	})

	server := grpctransport.NewGRPCServer(grpctransport.GRPCHealth(), grpctransport.GRPCReflection())
	grpctransport.Register(server,
		grpctransport.NewServer(unary, endpoint.New(unary, cut, endpoint.Recover())),
		grpctransport.NewStreamServer(feed, endpoint.NewStream(feed, count, endpoint.Recover())))
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()

	conn, err := grpctransport.Dial(listener.Addr().String(), grpctransport.DialInsecure())
	if err != nil {
		fmt.Println(err)
		return
	}
	call, err := grpctransport.NewClient[*testpb.SimpleRequest, *testpb.SimpleResponse](unary.Client(), conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, info := transport.Observe(transport.WithHeader(context.Background(), "X-Tenant", "masons"))
	response, err := call(ctx, &testpb.SimpleRequest{ResponseSize: 1})
	fmt.Println(response.GetUsername(), info.Info().Response.Get("X-Served-By"), err)

	_, err = call(ctx, &testpb.SimpleRequest{})
	fmt.Println(status.CodeOf(err), status.As(err).Violations)

	read, err := grpctransport.NewStreamClient[*testpb.StreamingOutputCallRequest, *testpb.StreamingOutputCallResponse](feed.Client(), conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for range read.Receive(ctx, &testpb.StreamingOutputCallRequest{ResponseParameters: make([]*testpb.ResponseParameters, 3)}) {
		n++
	}
	fmt.Println(n, "messages")

	fmt.Println(conn.Close(), grpctransport.Shutdown(context.Background(), server, time.Second), <-served)
	// Output:
	// masons grpc <nil>
	// invalid_argument [response_size: must be positive]
	// 3 messages
	// <nil> <nil> <nil>
}

// An order of the business logic, which knows no Protocol Buffers, travels in a message.
func ExampleServerDecoder() {
	type order struct{ SKU string }
	place := func(_ context.Context, o order) (string, error) { return "placed " + o.SKU, nil }

	spec := endpoint.Spec{Service: "grpc.testing.TestService", Method: "UnaryCall"}
	server := grpctransport.NewServer(spec, place,
		grpctransport.ServerDecoder(func(_ context.Context, m *testpb.SimpleRequest) (order, error) {
			return order{SKU: string(m.GetPayload().GetBody())}, nil
		}),
		grpctransport.ServerEncoder(func(_ context.Context, text string) (*testpb.SimpleResponse, error) {
			return &testpb.SimpleResponse{Username: text}, nil
		}))
	fmt.Println(server.Operation())
	// Output: grpc.testing.TestService/UnaryCall
}
