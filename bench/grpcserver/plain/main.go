// Command plain is the server contestant of that name: grpc-go as it comes.
package main

import (
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/server/generated"
)

func main() {
	contest.Roomy()
	s := grpc.NewServer()
	testpb.RegisterTestServiceServer(s, generated.Server{})
	contest.ServeListener(s.Serve)
}
