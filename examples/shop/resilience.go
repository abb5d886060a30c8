package main

import (
	"context"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/ratelimit"
)

const (
	keptBack     = 20 * time.Millisecond // of the time that a caller has, to answer it
	perCustomer  = 50                    // calls a second
	leastAtATime = 32                    // calls that the storefront serves at a time, however slow they are
	firstAtATime = 64
)

// guardClients returns what goes around each client: it leaves time to answer whoever waits, keeps calls back from what fails, and tells
// the service called for whom the call is.
func guardClients(logger log.Logger) (endpoint.Middleware, error) {
	allowance, err := deadline.NewAllowance(keptBack)
	if err != nil {
		return nil, err
	}
	breakers, err := circuitbreaker.New(circuitbreaker.Adaptive(), circuitbreaker.OnChange(func(c circuitbreaker.Change) {
		_ = log.Info(logger).Log("msg", "breaker", "operation", c.ID.Operation, "from", c.From, "to", c.To)
	}))
	if err != nil {
		return nil, err
	}
	return endpoint.Chain(endpoint.Timeout(callTimeout), allowance.Middleware, breakers.Middleware, auth.Forward()), nil
}

// shed returns what stands first at the door: it refuses what the shop cannot serve in time, before even a line is logged.
func shed(logger log.Logger) (endpoint.Middleware, error) {
	shedder, err := loadshed.New(
		loadshed.LimitRange(leastAtATime, firstAtATime, loadshed.DefaultMost),
		loadshed.OnEvent(func(e loadshed.Event) {
			_ = log.Info(logger).Log("msg", "shedder", "event", e.Kind, "limit", e.Status.Limit)
		}),
	)
	if err != nil {
		return nil, err
	}
	return shedder.Middleware, nil
}

// limitCustomers returns what refuses a customer who asks for more than a share. Those who only look need not say who they are.
func limitCustomers() (endpoint.Middleware, error) {
	customers, err := ratelimit.New(ratelimit.PerSecond(perCustomer))
	if err != nil {
		return nil, err
	}
	gate, err := ratelimit.NewGate(customers, ratelimit.Policy("per-customer"),
		ratelimit.By(ratelimit.KeyFunc(customerOf)), ratelimit.OnEmptyKey(ratelimit.EmptyUnlimited))
	if err != nil {
		return nil, err
	}
	return gate.Middleware, nil
}

// customerOf returns who calls, "" for those who only look.
func customerOf(ctx context.Context) string {
	if caller := auth.PrincipalOf(ctx); caller != nil {
		return caller.Subject
	}
	return ""
}
