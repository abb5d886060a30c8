package main

import (
	_ "embed"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/ratelimit"
)

//go:embed rules.json
var rulesFile []byte

// triesPerSecond are the logins that one address may try.
const triesPerSecond = 20

// limitLogins returns what keeps passwords from being guessed. Customers behind one address share it.
func limitLogins() (endpoint.Middleware, error) {
	tries, err := ratelimit.New(ratelimit.PerSecond(triesPerSecond))
	if err != nil {
		return nil, err
	}
	const address, house = 32, 64 // bits, of IPv4 and IPv6
	gate, err := ratelimit.NewGate(tries, ratelimit.Policy("logins"), ratelimit.By(ratelimit.KeyPeerNetwork(address, house)))
	if err != nil {
		return nil, err
	}
	return gate.Middleware, nil
}

// guard returns what stands before each operation of each service, whichever the transport: it knows callers by their tokens, and lets them
// do what the rules say. Those who only look have none. Streams end with the token.
func guard(tokens auth.Authenticator, logger log.Logger) (endpoint.Middleware, error) {
	rules, err := authz.Parse(rulesFile)
	if err != nil {
		return nil, err
	}
	for _, unused := range rules.Unused(operations()...) {
		_ = log.Warn(logger).Log("msg", "a rule is about nothing", "rule", unused)
	}
	return endpoint.Chain(auth.Middleware(auth.Optional(tokens)), rules.Middleware), nil
}

// operations are all that the shop serves.
func operations() []string {
	return []string{
		"accounts/Login",
		"storefront/FindProducts", "storefront/GetProduct", "storefront/PlaceOrder", "storefront/GetOrder", "storefront/OrderFeed",
		"shop.v1.Catalog/Find", "shop.v1.Catalog/Get", "shop.v1.Catalog/Reserve", "shop.v1.Catalog/Release",
		"shop.v1.Orders/Place", "shop.v1.Orders/Get", "shop.v1.Orders/Feed",
		"shop.v1.Payments/Charge",
	}
}
