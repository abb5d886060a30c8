// Command httpserver compares what a unary JSON call over HTTP costs the server: Ashlar's, Go kit's, and one written by hand.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/ashlar-go/ashlar/bench/internal/harness"
)

func main() {
	log.SetFlags(0)
	config, jsonFile := harness.Flags(flag.CommandLine, harness.HTTP())
	flag.Parse()
	report, err := harness.Servers(*config)
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
