// Command grpcserver compares what unary calls and messages of streams over gRPC cost the server: Ashlar's, and grpc-go with generated code, as it comes and with Ashlar's options.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/ashlar-go/ashlar/bench/internal/harness"
)

func main() {
	log.SetFlags(0)
	config, jsonFile := harness.Flags(flag.CommandLine, harness.GRPC())
	flag.Parse()
	report, err := harness.GRPCServers(*config)
	if err != nil {
		log.Fatal(err)
	}
	if err := report.Print(os.Stdout); err != nil {
		log.Fatal(err)
	}
	if *jsonFile != "" {
		if err := report.Write(*jsonFile); err != nil {
			log.Fatal(err)
		}
	}
}
