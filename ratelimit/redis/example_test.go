package redislimit_test

import (
	"context"
	stdlog "log"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

func ExampleNew() { //nolint:testableexamples // it takes a Redis
	client := redis.NewClient(&redis.Options{Addr: "redis:6379", ContextTimeoutEnabled: true})
	defer client.Close()
	// Four processes do this. Together they allow each caller 100 in a second; without Redis each of them allows 25.
	limiter, err := redislimit.New(client, "orders", ratelimit.PerSecond(100), redislimit.LocalShare(4), redislimit.Log(log.New(os.Stderr)))
	if err != nil {
		stdlog.Fatal(err)
	}
	defer limiter.Close()
	decision, err := limiter.Take(context.Background(), "somebody", 1)
	switch {
	case err != nil:
		stdlog.Print(err)
	case !decision.Allowed:
		stdlog.Printf("come again in %v", decision.RetryAfter)
	}
}

func ExampleNew_gate() { //nolint:testableexamples // it takes a Redis
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{"redis-0:6379", "redis-1:6379", "redis-2:6379"}, ContextTimeoutEnabled: true, // a cluster
	})
	defer client.Close()
	limiter, err := redislimit.New(client, "orders", ratelimit.PerSecond(100), redislimit.Refuse(), redislimit.Log(log.New(os.Stderr)))
	if err != nil {
		stdlog.Fatal(err)
	}
	defer limiter.Close()
	gate, err := ratelimit.NewGate(limiter, ratelimit.Policy("orders"), ratelimit.By(ratelimit.KeyHeader("Api-Key")))
	if err != nil {
		stdlog.Fatal(err)
	}
	place := endpoint.New(endpoint.Spec{Service: "orders", Method: "Place"}, placeOrder, gate.Middleware)
	_ = place // which a transport serves
}

func placeOrder(_ context.Context, order string) (string, error) { return "placed " + order, nil }
