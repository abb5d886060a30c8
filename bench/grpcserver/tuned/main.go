// Command tuned is the server contestant of that name: grpc-go with the options of Ashlar's servers.
package main

import (
	testpb "google.golang.org/grpc/interop/grpc_testing"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/server/generated"
)

func main() {
	contest.Roomy()
	s := grpctransport.NewGRPCServer()
	testpb.RegisterTestServiceServer(s, generated.Server{})
	contest.ServeListener(s.Serve)
}
