package main

import (
	"time"

	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
)

// policy is a row of the tables, and a line of the figures.
type policy struct {
	id, title string
	attempts  int
	policy    chain.Policy
}

func (p policy) Name() string { return p.id }

// allowance is that of each tier for the way back of an answer.
const allowance = 10 * time.Millisecond

// allPolicies are from nothing to everything. A breaker or a shedder is a row more here: a chain.Policy has a place for what is around
// calls, and for what is in front of a queue and behind it.
//
// Pools eject nothing but in the last row, so that what the rest does is seen by itself: to take an instance out is for one that is worse
// than the others, and here all are equal.
func allPolicies() []policy {
	const once, thrice = 1, 3
	budget := []lb.PoolOption{lb.PoolMaxEjected(0)} // the default one
	unlimited := []lb.PoolOption{lb.PoolMaxEjected(0), lb.PoolRetryBudget(1, 1e9)}
	return []policy{
		{"naive", "three attempts", thrice, chain.Policy{Pool: unlimited}},
		{"once", "one attempt", once, chain.Policy{Pool: budget}},
		{"budget", "three, retry budget", thrice, chain.Policy{Pool: budget}},
		{"travel", "three, deadlines that travel", thrice, chain.Policy{Travel: true, Pool: unlimited}},
		{"both", "three, budget, deadlines", thrice, chain.Policy{Travel: true, Pool: budget}},
		{"all", "three, budget, deadlines, allowance, guard", thrice,
			chain.Policy{Travel: true, Pool: budget, Client: clients, Server: servers}},
		{"eject", "the same, and pools that eject", thrice, chain.Policy{Travel: true, Client: clients, Server: servers}},
	}
}

// clients are the middleware around the calls that a tier makes.
func clients(tier chain.Tier) ([]endpoint.Middleware, error) {
	guard, err := deadline.NewGuard()
	if err != nil || tier == chain.Users {
		return []endpoint.Middleware{guard.Middleware}, err
	}
	a, err := deadline.NewAllowance(allowance)
	return []endpoint.Middleware{a.Middleware, guard.Middleware}, err
}

// servers are those around what an instance does, when it has its turn.
func servers(chain.Tier) ([]endpoint.Middleware, error) {
	guard, err := deadline.NewGuard()
	return []endpoint.Middleware{guard.Middleware}, err
}

// fault is what happens to the back tier.
type fault struct {
	id, title, text, band string
	fault                 chain.Fault
}

func (f fault) Name() string { return f.id }

// calm is how long all is well at first, so that queues and guards are as they always are.
const calm = 10 * time.Second

func allFaults() []fault {
	const half, stall = 10 * time.Second, 5 * time.Second
	return []fault{
		{
			"half", "The back tier loses half of its capacity for 10 s", "Each call takes twice as long there.", "half the capacity",
			chain.Fault{From: calm, To: calm + half, Slow: 2},
		},
		{
			"stall", "The back tier stalls for 5 s", "No call gets on there; then all goes on as before.", "stalled",
			chain.Fault{From: calm, To: calm + stall, Stall: true},
		},
	}
}

// configOf returns what is simulated: users who make 75 % of the calls that the back tier can serve.
func configOf(p policy, f chain.Fault, length time.Duration) chain.Config {
	return chain.Config{
		Rate: 300, Patience: 3 * time.Second, Length: length,
		Instances: 4, Workers: 4, Queue: 1000, Work: 40 * time.Millisecond, Overhead: time.Millisecond,
		Attempts: p.attempts, Timeout: time.Second, Fault: f, Policy: p.policy,
	}
}
