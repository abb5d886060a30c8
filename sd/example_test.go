package sd_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/sd"
)

// A set is always the whole of it, and the last one holds until there is another.
func Example() {
	orders, err := sd.NewStatic(
		sd.Instance{ID: "orders-1", Address: "10.0.0.1:8080", Zone: "eu-1"},
		sd.Instance{ID: "orders-2", Address: "10.0.1.1:8080", Zone: "eu-2", Tags: []string{"canary"}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := sd.NewCache(sd.Filter(orders, sd.InZone("eu-1", "eu-2"), sd.Not(sd.HasTag("canary"))))
	defer cache.Close()

	for set, err := range cache.Watch(context.Background()) {
		if invalid, ok := errors.AsType[*sd.InvalidError](err); ok {
			fmt.Println("somebody should look at", invalid.Entry)
			continue
		}
		if err != nil {
			fmt.Println("the last set still holds:", err)
			continue
		}
		fmt.Println(set)
		break // a program goes on until its context ends
	}
	// Output: [orders-1@10.0.0.1:8080]
}

// While a service moves to another registry, its instances are found in both.
func ExampleMerge() {
	before, err := sd.NewStaticAddresses("10.0.0.1:8080", "10.0.0.2:8080")
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := sd.NewStaticAddresses("10.0.0.2:8080", "10.0.0.3:8080")
	if err != nil {
		fmt.Println(err)
		return
	}
	const all = 3
	for set, err := range sd.Merge(before, after).Watch(context.Background()) {
		if err != nil || len(set) < all {
			continue // one of the two has not been heard yet
		}
		fmt.Println(set)
		break
	}
	// Output: [10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080]
}
