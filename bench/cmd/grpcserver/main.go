// Command grpcserver compares what unary calls and messages of streams over gRPC cost the server: Ashlar's, and grpc-go with generated code, as it comes and with Ashlar's options.
package main

import "github.com/ashlar-go/ashlar/bench/internal/harness"

func main() { harness.Main(harness.GRPC(), harness.GRPCServers) }
