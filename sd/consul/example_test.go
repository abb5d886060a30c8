package consul_test

import (
	"context"
	"fmt"
	"log"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
)

func ExampleNewInstancer() { //nolint:testableexamples // it takes an agent
	client, err := api.NewClient(api.DefaultConfig()) // the agent on this machine, or CONSUL_HTTP_ADDR
	if err != nil {
		log.Fatal(err)
	}
	instancer, err := consul.NewInstancer(client, "catalog", consul.InstancerTags("grpc"))
	if err != nil {
		log.Fatal(err)
	}
	for set, err := range instancer.Watch(context.Background()) {
		fmt.Println(set, err)
	}
}

func ExampleNewRegistrar() { //nolint:testableexamples // it takes an agent
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	registrar, err := consul.NewRegistrar(client, "catalog", consul.RegistrarOnError(func(err error) { log.Print(err) }))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	deregister, err := registrar.Register(ctx, sd.Instance{Address: "10.0.0.7:8080", Zone: "eu-1", Tags: []string{"grpc"}})
	if err != nil {
		log.Fatal(err)
	}
	// Serve until it is time to go; first go out of the sets, then let the calls in flight end.
	if err := deregister(ctx); err != nil {
		log.Print(err)
	}
}
