// Command natsserver compares what a request over NATS costs the server: Ashlar's, and one written by hand with nats.go.
package main

import "github.com/ashlar-go/ashlar/bench/internal/harness"

func main() { harness.Main(harness.NATS(), harness.NATSServers) }
