package lbsim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/lb/lbsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mean = 20 * time.Millisecond

// config is that of ten instances and two callers, for ten seconds after two.
func config(change func(*lbsim.Config)) lbsim.Config {
	c := lbsim.Config{
		Instances: 10, Callers: 2, Policy: lb.PeakEWMA, Load: 0.6, Workers: 1, Warmup: 2 * time.Second, Measure: 10 * time.Second,
		Service: func() lbsim.Sample { return lbsim.Exponential(mean) },
	}
	change(&c)
	return c
}

func simulate(t *testing.T, change func(*lbsim.Config)) (result *lbsim.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if result, err = lbsim.Run(t.Context(), config(change)); err != nil {
			t.Fatal(err)
		}
	})
	return result
}

func TestTheLoadIsThatOfTheConfig(t *testing.T) {
	t.Parallel()
	r := simulate(t, func(*lbsim.Config) {})
	const want = 0.6 * 10 / 0.020 * 10
	if have := float64(r.Calls); have < 0.9*want || have > 1.1*want || r.Attempts != r.Calls || r.Errors != 0 || len(r.Latencies) != r.Calls {
		t.Errorf("want about %v calls that succeed, have %d in %d attempts, %d errors", want, r.Calls, r.Attempts, r.Errors)
	}
	if p50, p99 := r.Latencies.Percentile(50), r.Latencies.Percentile(99); p50 < mean/2 || p50 > 4*mean || p99 < 2*p50 {
		t.Errorf("want some %v, and much more at the 99th percentile, have %v and %v", mean, p50, p99)
	}
	if r.Imbalance() < 1 || r.Imbalance() > 1.5 || r.Amplification() != 1 {
		t.Errorf("want balance and no retries, have %v and %v", r.Imbalance(), r.Amplification())
	}
}

func TestASlowInstanceGetsLittle(t *testing.T) {
	t.Parallel()
	slow := func(policy func() lb.Policy) *lbsim.Result {
		return simulate(t, func(c *lbsim.Config) {
			c.Policy, c.Faults = policy, []lbsim.Fault{{Instances: 1, From: -time.Hour, To: time.Hour, Slow: 10}}
		})
	}
	if have := slow(lb.PeakEWMA).Share(1); have > 0.02 {
		t.Errorf("peak EWMA: want at most 2 %% of the calls, have %.1f %%", 100*have)
	}
	if have := slow(lb.RoundRobin).Share(1); have < 0.09 || have > 0.11 {
		t.Errorf("round robin: want a tenth of the calls, have %.1f %%", 100*have)
	}
}

func TestAnInstanceThatFailsGetsLittleAfterEjection(t *testing.T) {
	t.Parallel()
	r := simulate(t, func(c *lbsim.Config) {
		c.Faults = []lbsim.Fault{{Instances: 1, From: -time.Hour, To: time.Hour, Failing: true}}
	})
	if have := r.Share(1); have > 0.01 || r.Errors > 0 {
		t.Errorf("want at most 1 %% of the calls and no errors, have %.1f %% and %d", 100*have, r.Errors)
	}
}

func TestWithoutRetriesCallsOfADeadInstanceFail(t *testing.T) {
	t.Parallel()
	dead := func(c *lbsim.Config) {
		c.Policy, c.Faults = lb.RoundRobin, []lbsim.Fault{{Instances: 1, From: time.Second, To: 5 * time.Second, Down: true}}
	}
	if r := simulate(t, dead); r.Errors > 0 || r.Attempts <= r.Calls {
		t.Errorf("with retries: want more attempts and no errors, have %d of %d and %d", r.Attempts, r.Calls, r.Errors)
	}
	r := simulate(t, func(c *lbsim.Config) { dead(c); c.Endpoint = []lb.EndpointOption{lb.EndpointNoRetry()} })
	if r.Errors == 0 || r.Attempts > r.Calls {
		t.Errorf("without: want errors and no more attempts, have %d, and %d of %d", r.Errors, r.Attempts, r.Calls)
	}
}

// The tail of a pool with a slow instance is to be hardly longer than that of one without the instance.
func TestTheTailOfAPoolWithASlowInstance(t *testing.T) {
	t.Parallel()
	const limit = 1.3
	with := simulate(t, func(c *lbsim.Config) {
		c.Faults = []lbsim.Fault{{Instances: 1, From: -time.Hour, To: time.Hour, Slow: 10}}
		c.Measure = time.Minute
	}).Latencies.Percentile(99)
	without := simulate(t, func(c *lbsim.Config) {
		c.Instances, c.Load, c.Measure = 9, c.Load*10/9, time.Minute
	}).Latencies.Percentile(99)
	if have := with.Seconds() / without.Seconds(); have > limit {
		t.Errorf("want at most %v times the 99th percentile of nine good instances, have %.2f: %v and %v", limit, have, with, without)
	}
}

func TestWrongConfigsAreRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*lbsim.Config){
		"0 instances":     func(c *lbsim.Config) { c.Instances = 0 },
		"0 callers":       func(c *lbsim.Config) { c.Callers = 0 },
		"0 workers":       func(c *lbsim.Config) { c.Workers = 0 },
		"a load of 0":     func(c *lbsim.Config) { c.Load = 0 },
		"is missing":      func(c *lbsim.Config) { c.Policy = nil },
		"0s of measuring": func(c *lbsim.Config) { c.Measure = 0 },
		"11 of 10 instan": func(c *lbsim.Config) { c.Faults = []lbsim.Fault{{Instances: 11}} },
		"PoolDialTimeout": func(c *lbsim.Config) { c.Pool = []lb.PoolOption{lb.PoolDialTimeout(0)} },
		"EndpointAttempt": func(c *lbsim.Config) { c.Endpoint = []lb.EndpointOption{lb.EndpointAttemptTimeout(0)} },
		"from 2s to 1s": func(c *lbsim.Config) {
			c.Faults = []lbsim.Fault{{Instances: 1, From: 2 * time.Second, To: time.Second}}
		},
		"-1s of warm-up": func(c *lbsim.Config) { c.Warmup = -time.Second },
	} {
		if _, err := lbsim.Run(t.Context(), config(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestABimodalServiceIsSlowSometimes(t *testing.T) {
	t.Parallel()
	sample := lbsim.Bimodal(time.Millisecond, time.Second, 0.1)
	slow := 0
	const draws = 10_000
	for range draws {
		if sample() > 20*time.Millisecond {
			slow++
		}
	}
	if slow < draws/12 || slow > draws/8 {
		t.Errorf("want a tenth of %d, have %d", draws, slow)
	}
}
