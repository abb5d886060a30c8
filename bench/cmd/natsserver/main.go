// Command natsserver compares what a request over NATS costs the server: Ashlar's, and one written by hand with nats.go.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/ashlar-go/ashlar/bench/internal/harness"
)

func main() {
	log.SetFlags(0)
	config, jsonFile := harness.Flags(flag.CommandLine, harness.NATS())
	flag.Parse()
	report, err := harness.NATSServers(*config)
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
