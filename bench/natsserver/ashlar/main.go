// Command ashlar is the server contestant of that name.
package main

import (
	"context"
	"log"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	contest.Roomy()
	nc, err := nats.Connect(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	sum := func(_ context.Context, r *model.SumRequest) (*model.SumResponse, error) {
		response := model.Sum(*r)
		return &response, nil
	}
	spec := endpoint.Spec{Service: "ashlar", Method: "Sum"}
	_, err = natstransport.Serve(nc, "ashlar", "1.0.0", []*natstransport.Server{natstransport.NewServer(spec, sum)})
	if err != nil {
		log.Fatal(err)
	}
	contest.Wait()
}
