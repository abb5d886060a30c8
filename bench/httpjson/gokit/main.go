// Command gokit is the server contestant of that name.
package main

import (
	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/server/gokit"
)

func main() { contest.Serve(gokit.Handler()) }
