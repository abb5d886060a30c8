// Command ashlar calls by Ashlar's HTTP transport as Dial makes it.
package main

import (
	"github.com/ashlar-go/ashlar/bench/internal/ashlarclient"
	"github.com/ashlar-go/ashlar/bench/internal/contest"
)

func main() {
	contest.Call(func(base string) (contest.Calls, error) { return ashlarclient.Connect(base) })
}
