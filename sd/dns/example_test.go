package dns_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/sd/dns"
)

func Example() { //nolint:testableexamples // it would ask the servers of this machine
	instancer, err := dns.NewSRV("_grpc._tcp.orders.example.com", dns.InstancerMaxTTL(10*time.Second))
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for set, err := range instancer.Watch(ctx) {
		if err != nil {
			fmt.Println("the last set stays:", err)
			continue
		}
		fmt.Println(set)
	}
}
