// Command httpserver compares what a unary JSON call over HTTP costs the server: Ashlar's, Go kit's, and one written by hand.
package main

import "github.com/ashlar-go/ashlar/bench/internal/harness"

func main() { harness.Main(harness.HTTP(), harness.Servers) }
