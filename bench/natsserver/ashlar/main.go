// Command ashlar is the server contestant of that name.
package main

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/bench/internal/natscontest"
)

func main() {
	spec := endpoint.Spec{Service: "ashlar", Method: "Sum"}
	sum := func(_ context.Context, r *model.SumRequest) (*model.SumResponse, error) {
		response := model.Sum(*r)
		return &response, nil
	}
	natscontest.Serve(func(nc *nats.Conn) error {
		_, err := natstransport.Serve(nc, "ashlar", "1.0.0", []*natstransport.Server{natstransport.NewServer(spec, sum)})
		return err
	})
}
