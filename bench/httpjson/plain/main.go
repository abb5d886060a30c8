// Command plain is the server contestant of that name.
package main

import (
	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/server/plain"
)

func main() { contest.Serve(plain.Handler()) }
