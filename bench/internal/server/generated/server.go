// Package generated is the gRPC service as one writes it with grpc-go and generated code. All ratios are to it.
package generated

import (
	"context"
	"errors"
	"io"

	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// Server echoes payloads: one, or each of a stream.
type Server struct {
	testpb.UnimplementedTestServiceServer
}

// UnaryCall echoes one payload.
func (Server) UnaryCall(_ context.Context, r *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: r.GetPayload()}, nil
}

// FullDuplexCall echoes each payload.
func (Server) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: m.GetPayload()}); err != nil {
			return err
		}
	}
}
