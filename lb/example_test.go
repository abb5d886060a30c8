package lb_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// A client is whatever calls an instance; here it is a URL.
func Example() {
	instances, err := sd.NewStaticAddresses("10.0.0.1:80", "10.0.0.2:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, err := lb.New("orders", instances, func(_ context.Context, i sd.Instance) (string, error) { return "http://" + i.Address, nil },
		lb.PoolPolicy(lb.RoundRobin()), lb.PoolWaitReady())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()

	url, done, err := pool.Pick(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(url))
	done(nil) // the error of the call
	// Output: 18
}

func ExamplePoolEvents() {
	told := func(e lb.Event) {
		slog.Info("pool", "what", e.Kind, "instance", e.Instance, "err", e.Err)
	}
	dial := lb.ByAddress(func(_ context.Context, address string) (string, error) { return address, nil })
	instances, err := sd.NewStaticAddresses("10.0.0.1:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, err := lb.New("orders", instances, dial, lb.PoolEvents(told))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pool.Close())
	// Output: <nil>
}

func ExampleConsistentHash() {
	instances, err := sd.NewStaticAddresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	dial := lb.ByAddress(func(_ context.Context, address string) (string, error) { return address, nil })
	pool, err := lb.New("sessions", instances, dial, lb.PoolPolicy(lb.ConsistentHash()), lb.PoolWaitReady())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	ctx := lb.WithKey(context.Background(), "user 17")
	address, done, err := pool.Pick(ctx) // the same as for all calls of this user
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(address != "")
	done(nil)
	// Output: true
}
