package ratelimit_test

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

type order struct{ tenant string }

func place(context.Context, order) (string, error) { return "placed", nil }

// Each tenant may place two orders a minute.
func Example() {
	limiter, err := ratelimit.New(ratelimit.PerMinute(2))
	if err != nil {
		fmt.Println(err)
		return
	}
	gate, err := ratelimit.NewGate(limiter, ratelimit.Policy("orders"), ratelimit.By(ratelimit.KeyOf(func(o order) string { return o.tenant })))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, place, gate.Middleware)
	for _, tenant := range []string{"ada", "ada", "ada", "bob"} {
		_, err := e(context.Background(), order{tenant})
		fmt.Println(tenant, status.CodeOf(err))
	}
	fmt.Println(gate.Status().Operations[0].Refused, "refused,", limiter.Status().Keys, "keys")
	// Output:
	// ada ok
	// ada ok
	// ada resource_exhausted
	// bob ok
	// 1 refused, 2 keys
}

// Whose limit it is: by the caller's network, by a header, by the request, and by what is in the context, such as who was authenticated.
func ExampleBy() {
	type user struct{}
	ctx := context.WithValue(context.Background(), user{}, "ada")
	ctx, _ = transport.NewServerContext(ctx, transport.Info{ // as a transport does
		Operation: "orders/Place", Peer: "192.0.2.7:4711", Request: transport.HeaderMap{"X-Api-Key": {"k1"}}, Response: transport.HeaderMap{},
	})
	for _, key := range []ratelimit.Key{
		ratelimit.KeyPeerNetwork(32, 64),
		ratelimit.KeyHeader("X-Api-Key"),
		ratelimit.KeyOf(func(o order) string { return o.tenant }),
		ratelimit.KeyFunc(func(ctx context.Context) string {
			name, _ := ctx.Value(user{}).(string)
			return name
		}),
	} {
		limiter, err := ratelimit.New(ratelimit.PerHour(1))
		if err != nil {
			fmt.Println(err)
			return
		}
		gate, err := ratelimit.NewGate(limiter, ratelimit.By(key), ratelimit.OnEmptyKey(ratelimit.EmptyRefused))
		if err != nil {
			fmt.Println(err)
			return
		}
		e := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, place, gate.Middleware)
		_, first := e(ctx, order{"acme"})
		_, second := e(ctx, order{"acme"})
		whose, _ := key(ctx, order{"acme"})
		fmt.Println(whose, status.CodeOf(first), status.CodeOf(second))
	}
	// Output:
	// 192.0.2.7 ok resource_exhausted
	// k1 ok resource_exhausted
	// acme ok resource_exhausted
	// ada ok resource_exhausted
}

// One rate for all, by the limiter that everybody knows.
func ExampleErroring() {
	gate, err := ratelimit.Erroring(rate.NewLimiter(10, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, place, gate.Middleware)
	for range 2 {
		_, err := e(context.Background(), order{})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// resource_exhausted (RATE_LIMITED): too many calls
}

// A client that keeps to what its server allows: calls wait, and those that would have to wait for longer than their deadline fail at once.
func ExampleDelaying() {
	gate, err := ratelimit.Delaying(rate.NewLimiter(100, 1), ratelimit.MaxWaiters(50))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place", Side: endpoint.Client}, place, gate.Middleware)
	for _, timeout := range []time.Duration{time.Second, time.Second, time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		_, err := e(ctx, order{})
		fmt.Println(status.CodeOf(err))
		cancel()
	}
	// Output:
	// ok
	// ok
	// resource_exhausted
}

// A quota says when there is more.
func ExampleQuota() {
	quota, err := ratelimit.NewQuota(1000, ratelimit.Every(720*time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := quota.Take(context.Background(), "ada", 900)
	fmt.Println(d.Allowed, d.Remaining, err)
	d, err = quota.Take(context.Background(), "ada", 101)
	fmt.Println(d.Allowed, d.Remaining, d.RetryAfter == d.Reset, err)
	_, err = quota.Take(context.Background(), "ada", 1001)
	fmt.Println(err)
	// Output:
	// true 100 <nil>
	// false 100 true <nil>
	// ratelimit: a cost of 1001, which the limit of 1000 in 720h0m0s never has at once
}
