package transport_test

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/transport"
)

func ExampleWithHeader() {
	ctx := transport.WithHeader(context.Background(), "X-Tenant", "masons")

	header := transport.HeaderMap{} // a client transport does this for each call
	transport.SetOutgoing(ctx, header)
	fmt.Println(header)
	// Output: map[X-Tenant:[masons]]
}

func ExampleObserve() {
	ctx, call := transport.Observe(context.Background())

	// A client transport does this for each call.Info().
	transport.Report(ctx, transport.Info{Transport: "http", Peer: "192.0.2.1:80", Response: transport.HeaderMap{"X-Cache": {"hit"}}})

	fmt.Println(call.Info().Transport, call.Info().Peer, call.Info().Response.Get("x-cache"))
	// Output: http 192.0.2.1:80 hit
}
