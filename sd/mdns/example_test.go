package mdns_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

// A process announces an instance, and this or another one, on this machine or another of the network, finds it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	registrar, err := mdns.NewRegistrar("shop.v1.Catalog")
	if err != nil {
		fmt.Println(err)
		return
	}
	deregister, err := registrar.Register(ctx, sd.Instance{ID: "catalog-1", Address: "127.0.0.1:9001", Zone: "desk"})
	if err != nil {
		fmt.Println(err)
		return
	}

	instancer, err := mdns.NewInstancer("shop.v1.Catalog")
	if err != nil {
		fmt.Println(err)
		return
	}
	for set, err := range instancer.Watch(ctx) {
		if err != nil {
			fmt.Println(err) // the last set stays in force
			continue
		}
		fmt.Println(set)
		break
	}
	if err := deregister(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: [catalog-1@127.0.0.1:9001]
}
