// Command ashlarshared calls by Ashlar's HTTP transport with the http.Client that the other contestants use, so that only what
// is above http.Client differs.
package main

import (
	"github.com/ashlar-go/ashlar/bench/internal/ashlarclient"
	"github.com/ashlar-go/ashlar/bench/internal/contest"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func main() {
	contest.Call(func(base string) (contest.Calls, error) {
		return ashlarclient.Connect(base, httptransport.DialClient(contest.NewHTTPClient()))
	})
}
