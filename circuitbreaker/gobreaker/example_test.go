package sonybreaker_test

import (
	"context"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

func ExampleNew() {
	breakers, err := circuitbreaker.New(sonybreaker.New(gobreaker.Settings{
		Interval:    10 * time.Second,
		Timeout:     5 * time.Second,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= 3 && c.TotalFailures*2 > c.Requests },
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	carve := func(context.Context, string) (string, error) {
		return "", status.New(status.Unavailable, "the saw is broken")
	}
	client := endpoint.New(endpoint.Spec{Service: "quarry", Method: "Carve"}.Client(), carve, breakers.Middleware)
	for range 4 {
		_, err := client(context.Background(), "an arch")
		fmt.Println(status.As(err).Message)
	}
	// Output:
	// the saw is broken
	// the saw is broken
	// the saw is broken
	// too many calls of quarry/Carve have failed
}
