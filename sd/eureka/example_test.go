package eureka_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
)

// A service announces itself, and another finds it.
func Example() { //nolint:testableexamples // it takes servers
	client, err := eureka.NewClient(&http.Client{}, []string{"http://eureka-1:8761/eureka", "http://eureka-2:8761/eureka"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	registrar, err := eureka.NewRegistrar(client, "orders", eureka.RegistrarOnError(func(err error) { fmt.Println(err) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	deregister, err := registrar.Register(ctx, sd.Instance{Address: "10.0.0.7:8080", Zone: "eu-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() {
		if err := deregister(context.WithoutCancel(ctx)); err != nil {
			fmt.Println(err)
		}
	}()

	instancer, err := eureka.NewInstancer(client, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	for set, err := range instancer.Watch(ctx) {
		fmt.Println(set, err)
	}
}
