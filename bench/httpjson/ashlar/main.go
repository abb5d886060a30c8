// Command ashlar is the server contestant of that name.
package main

import (
	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/server/ashlar"
)

func main() { contest.Serve(ashlar.Handler()) }
