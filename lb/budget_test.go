package lb_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
)

// drive makes a call each interval for so long, and returns how many there were, when all have ended.
func driveFor(ctx context.Context, call endpoint.Endpoint[int, int], interval, during time.Duration) (calls int) {
	var all sync.WaitGroup
	for start := time.Now(); time.Since(start) < during; calls++ {
		all.Go(func() { _, _ = call(ctx, 1) })
		<-time.After(interval)
	}
	all.Wait()
	return calls
}

func TestAnOutageIsNotMadeWorse(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		opts         []lb.PoolOption
		interval     time.Duration
		ratio, floor float64
	}{
		"the default":             {nil, time.Millisecond, lb.DefaultRetryRatio, lb.DefaultRetryFloor},
		"few calls":               {nil, 100 * time.Millisecond, lb.DefaultRetryRatio, lb.DefaultRetryFloor},
		"no ratio":                {[]lb.PoolOption{lb.PoolRetryBudget(0, 5)}, time.Millisecond, 0, 5},
		"no floor":                {[]lb.PoolOption{lb.PoolRetryBudget(0.1, 0)}, time.Millisecond, 0.1, 0},
		"nothing":                 {[]lb.PoolOption{lb.PoolRetryBudget(0, 0)}, time.Millisecond, 0, 0},
		"as much as it can be":    {[]lb.PoolOption{lb.PoolRetryBudget(1, 1e6)}, time.Millisecond, 2, 0},
		"some, and many attempts": {[]lb.PoolOption{lb.PoolRetryBudget(0.5, 1)}, time.Millisecond, 0.5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const during = 10 * time.Second
				f := script(errBroken)
				p := fleetPool(t, f, []string{"a", "b", "c"}, row.opts...)
				calls := driveFor(t.Context(), fleetEndpoint(t, readSpec, p), row.interval, during)
				attempts := len(f.called())
				window := 2.0 // seconds
				floor := row.floor * (during.Seconds() + window)
				const noted = 3 * 16 // that is how exact the number of calls is
				most := min(float64(calls)*(1+row.ratio)+row.ratio*noted+floor, float64(calls*lb.DefaultAttempts))
				if float64(attempts) > most {
					t.Errorf("%d calls: want at most %.0f attempts, have %d", calls, most, attempts)
				}
				if least := most*0.9 - floor*0.3; float64(attempts) < least {
					t.Errorf("%d calls: want at least %.0f attempts, have %d", calls, least, attempts)
				}
				if have := p.Budget().Retries; int(have) != attempts-calls {
					t.Errorf("want %d retries, have %d", attempts-calls, have)
				}
				t.Logf("%d calls, %d attempts: %.2f", calls, attempts, float64(attempts)/float64(calls))
			})
		})
	}
}

func TestTheBudgetIsThatOfAllEndpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(errBroken)
		p := fleetPool(t, f, []string{"a", "b"}, lb.PoolRetryBudget(0, 2)) // four in two seconds
		reset := lb.EndpointRetryBackoff(time.Microsecond, time.Microsecond)
		first, second := fleetEndpoint(t, readSpec, p, reset), fleetEndpoint(t, readSpec, p, reset)
		if have := p.Budget(); have != (lb.BudgetStatus{Left: 4}) {
			t.Errorf("want 4 left, have %v", have)
		}
		for i, want := range []struct {
			call     endpoint.Endpoint[int, int]
			attempts int
		}{{first, 3}, {second, 3}, {first, 1}, {second, 1}} {
			before := len(f.called())
			_, _ = want.call(t.Context(), 1)
			if have := len(f.called()) - before; want.attempts != have {
				t.Errorf("call %d: want %d attempts, have %d", i, want.attempts, have)
			}
		}
		if want, have := (lb.BudgetStatus{Retries: 4, Refused: 2}), p.Budget(); want != have {
			t.Errorf("want %v, have %v", want, have)
		}
		<-time.After(1700 * time.Millisecond)
		if have := p.Budget().Left; have != 0 {
			t.Errorf("want nothing left before the window is over, have %v", have)
		}
		<-time.After(500 * time.Millisecond)
		if have := p.Budget().Left; have != 4 {
			t.Errorf("want 4 left after it, have %v", have)
		}
		<-time.After(time.Hour)
		if have := p.Budget().Left; have != 4 {
			t.Errorf("want 4 left after a long time, have %v", have)
		}
	})
}

func TestGoodCallsEarnRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(nil)
		p := fleetPool(t, f, []string{"a", "b"}, lb.PoolRetryBudget(0.25, 0))
		call := fleetEndpoint(t, readSpec, p)
		for range 2 * 16 * 10 {
			_, _ = call(t.Context(), 1)
		}
		if have := p.Budget().Left; have != 80 {
			t.Errorf("want a quarter of 320 calls, have %v", have)
		}
		<-time.After(3 * time.Second)
		if have := p.Budget().Left; have != 0 {
			t.Errorf("want nothing for calls of long ago, have %v", have)
		}
	})
}

func TestABudgetIsSpentOnceByMany(t *testing.T) {
	t.Parallel()
	var failed atomic.Int64
	f := &fleet{serve: func(context.Context, *host, int) (int, error) {
		failed.Add(1)
		return 0, status.New(status.Unavailable, "no")
	}}
	p := openFleet(t, f, []string{"a", "b"}, lb.PoolWaitReady(), lb.PoolEjectAfter(0), lb.PoolRetryBudget(0, 1e3))
	call := fleetEndpoint(t, readSpec, p, lb.EndpointRetryBackoff(1, 1))
	const callers, calls = 8, 500
	start := time.Now()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls {
				_, _ = call(t.Context(), 1)
			}
		})
	}
	all.Wait()
	most := int64(callers*calls + 1e3*(time.Since(start).Seconds()+2))
	if have := failed.Load(); have > most || have-callers*calls != int64(p.Budget().Retries) {
		t.Errorf("want at most %d attempts, have %d, of which %d are retries", most, have, p.Budget().Retries)
	}
}

func TestABudgetThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]lb.PoolOption{
		"PoolRetryBudget(-0.1, 10): want 0 to 1, and 0 or 1 and more": lb.PoolRetryBudget(-0.1, 10),
		"PoolRetryBudget(1.1, 10): want 0 to 1, and 0 or 1 and more":  lb.PoolRetryBudget(1.1, 10),
		"PoolRetryBudget(0.1, 0.5): want 0 to 1, and 0 or 1 and more": lb.PoolRetryBudget(0.1, 0.5),
		"PoolRetryBudget(0.1, -1): want 0 to 1, and 0 or 1 and more":  lb.PoolRetryBudget(0.1, -1),
	} {
		if err := poolError(t, opt); err == nil || err.Error() != "lb: pool of quarry: "+want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestWhatWasNotSentSpendsNoBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(errRefused, nil)
		p := fleetPool(t, f, []string{"a", "b"}, lb.PoolRetryBudget(0, 0))
		if _, err := fleetEndpoint(t, readSpec, p)(t.Context(), 1); err != nil || len(f.called()) != 2 {
			t.Errorf("want success by the second of two attempts, have %v after %d", err, len(f.called()))
		}
		f = script(errBroken, nil)
		p = fleetPool(t, f, []string{"a", "b"}, lb.PoolRetryBudget(0, 0))
		if _, err := fleetEndpoint(t, readSpec, p)(t.Context(), 1); err == nil || len(f.called()) != 1 {
			t.Errorf("what was sent: want failure by the only attempt, have %v after %d", err, len(f.called()))
		}
	})
}
