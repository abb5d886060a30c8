// Command ashlar is the server contestant of that name.
package main

import (
	"context"
	"iter"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/endpoint"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
)

func main() {
	contest.Roomy()
	const service = "grpc.testing.TestService"
	s := grpctransport.NewGRPCServer()
	grpctransport.Register(s,
		grpctransport.NewServer(endpoint.Spec{Service: service, Method: "UnaryCall"}, echo),
		grpctransport.NewStreamServer(endpoint.Spec{Service: service, Method: "FullDuplexCall"}, echoes))
	contest.ServeListener(s.Serve)
}

func echo(_ context.Context, r *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: r.GetPayload()}, nil
}

func echoes(
	_ context.Context, in iter.Seq2[*testpb.StreamingOutputCallRequest, error], out func(*testpb.StreamingOutputCallResponse) error,
) error {
	for m, err := range in {
		if err != nil {
			return err
		}
		if err := out(&testpb.StreamingOutputCallResponse{Payload: m.GetPayload()}); err != nil {
			return err
		}
	}
	return nil
}
