package chain_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/cmd/stormsim/chain"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
)

// config is that of a back tier that can serve 100 calls a second and gets half of that, for 10 s.
func config(change func(*chain.Config)) chain.Config {
	c := chain.Config{
		Rate: 50, Patience: time.Second, Length: 10 * time.Second, Instances: 2, Workers: 2, Queue: 100, Work: 40 * time.Millisecond,
		Attempts: 1, Timeout: time.Second, Policy: chain.Policy{Pool: []lb.PoolOption{lb.PoolMaxEjected(0)}},
	}
	change(&c)
	return c
}

func simulate(t *testing.T, change func(*chain.Config)) (result *chain.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if result, err = chain.Run(t.Context(), config(change)); err != nil {
			t.Fatal(err)
		}
	})
	return result
}

const all = 10 * time.Second

func TestTheLoadIsThatOfTheConfig(t *testing.T) {
	t.Parallel()
	c := config(func(*chain.Config) {})
	if want, have := 100.0, c.Capacity(); math.Abs(want-have) > 1e-9 {
		t.Errorf("want a capacity of %v, have %v", want, have)
	}
	for _, travel := range []bool{false, true} {
		r := simulate(t, func(c *chain.Config) { c.Policy.Travel = travel })
		calls := 0.0
		for _, n := range r.Calls {
			calls += n
		}
		if calls < 400 || calls > 600 || r.Share(0, all) != 1 || r.Amplification(0, all) != 1 || r.Peak(all) != 1 {
			t.Errorf("want some 500 calls, all answered, have %v, %.3f answered, %.3f attempts", calls, r.Share(0, all), r.Amplification(0, all))
		}
		if took, ok := r.Recovery(1); took != 0 || !ok {
			t.Errorf("want nothing to recover from, have %v, %t", took, ok)
		}
	}
}

func TestAStallStopsEverything(t *testing.T) {
	t.Parallel()
	r := simulate(t, func(c *chain.Config) {
		c.Fault = chain.Fault{From: 3 * time.Second, To: 6 * time.Second, Stall: true}
		c.Policy.Travel = true
	})
	if have := r.Share(3*time.Second, 5*time.Second); have > 0.05 {
		t.Errorf("want hardly a call answered in the stall, have %.3f", have)
	}
	if took, ok := r.Recovery(0.95); !ok || took > time.Second {
		t.Errorf("want it well again, have %v, %t", took, ok)
	}
	if before, after := r.Share(0, 2*time.Second), r.Share(8*time.Second, all); before != 1 || after != 1 {
		t.Errorf("want all answered before and after, have %.3f and %.3f", before, after)
	}
}

func TestSlowWorkIsLessCapacity(t *testing.T) {
	t.Parallel()
	r := simulate(t, func(c *chain.Config) { c.Fault = chain.Fault{To: all, Slow: 10} })
	if have := r.Share(3*time.Second, all); have > 0.4 {
		t.Errorf("want a tenth of the capacity, have %.3f of the calls answered", have)
	}
	if _, ok := r.Recovery(0.95); ok {
		t.Error("want no recovery, since it ends with the fault")
	}
}

// Whoever does not know that his caller has gone works for him nevertheless, and makes attempts of his own.
func TestAttemptsMultiply(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		travel bool
		least  float64
		most   float64
	}{{false, 20, 30}, {true, 2.5, 6}} {
		r := simulate(t, func(c *chain.Config) {
			c.Attempts, c.Timeout, c.Patience, c.Queue = 3, 100*time.Millisecond, 300*time.Millisecond, 100_000
			c.Fault = chain.Fault{To: all, Stall: true}
			c.Policy = chain.Policy{Travel: row.travel, Pool: []lb.PoolOption{lb.PoolRetryBudget(1, 1e6), lb.PoolMaxEjected(0)}}
		})
		if have := r.Amplification(2*time.Second, all); have < row.least || have > row.most {
			t.Errorf("deadlines that travel %t: want %v to %v attempts a call, have %.1f", row.travel, row.least, row.most, have)
		}
	}
}

// The middleware of a policy is where it says.
func TestAPolicyHasItsPlaces(t *testing.T) {
	t.Parallel()
	refuse := func(_ endpoint.Spec, _ endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, status.New(status.NotFound, "no") }
	}
	at := func(tier chain.Tier) func(chain.Tier) ([]endpoint.Middleware, error) {
		return func(t chain.Tier) ([]endpoint.Middleware, error) {
			if t == tier {
				return []endpoint.Middleware{refuse}, nil
			}
			return nil, nil
		}
	}
	for name, row := range map[string]struct {
		policy chain.Policy
		load   float64
	}{
		"users":                {chain.Policy{Client: at(chain.Users)}, 0},
		"middle":               {chain.Policy{Client: at(chain.Middle)}, 0},
		"arrival at the front": {chain.Policy{Arrival: at(chain.Front)}, 0},
		"arrival at the back":  {chain.Policy{Arrival: at(chain.Back)}, 1},
		"work at the back":     {chain.Policy{Server: at(chain.Back)}, 1},
	} {
		r := simulate(t, func(c *chain.Config) { c.Policy = row.policy })
		if r.Share(0, all) != 0 || r.Amplification(0, all) != row.load {
			t.Errorf("%s: want none answered and %v attempts, have %.3f and %.3f", name, row.load, r.Share(0, all), r.Amplification(0, all))
		}
	}
}

func TestWrongConfigsAreRefused(t *testing.T) {
	t.Parallel()
	failing := func(chain.Tier) ([]endpoint.Middleware, error) { return nil, errors.New("made wrong") }
	for want, change := range map[string]func(*chain.Config){
		"0 calls a second":           func(c *chain.Config) { c.Rate = 0 },
		"patience of 0s":             func(c *chain.Config) { c.Patience = 0 },
		"0 instances":                func(c *chain.Config) { c.Instances = 0 },
		"from 2s to 1s":              func(c *chain.Config) { c.Fault = chain.Fault{From: 2 * time.Second, To: time.Second} },
		"-1 times longer":            func(c *chain.Config) { c.Fault.Slow = -1 },
		"EndpointRetryAttempts(0)":   func(c *chain.Config) { c.Attempts = 0 },
		"PoolDrain":                  func(c *chain.Config) { c.Policy.Pool = []lb.PoolOption{lb.PoolDrain(-1)} },
		"middle tier: made wrong":    func(c *chain.Config) { c.Policy.Client = failing },
		"back tier: made wrong":      func(c *chain.Config) { c.Policy.Server = failing },
		"the back tier: made wrong":  func(c *chain.Config) { c.Policy.Arrival = failing },
		"length of -1s":              func(c *chain.Config) { c.Length = -time.Second },
		"an overhead of -1ns: want ": func(c *chain.Config) { c.Overhead = -1 },
	} {
		synctest.Test(t, func(t *testing.T) {
			if _, err := chain.Run(t.Context(), config(change)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, have %v", want, err)
			}
		})
	}
}
