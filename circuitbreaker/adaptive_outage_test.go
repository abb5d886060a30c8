package circuitbreaker_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

const (
	outageBegins = 20 * time.Second
	outageEnds   = 40 * time.Second
)

// outage is a service that is down for 20 s, whose calls take so long when it is up, and fail after so long when it is not.
func outage(well, fails time.Duration) service {
	return func(now time.Duration) (time.Duration, error) {
		if now >= outageBegins && now < outageEnds {
			return fails, errDown
		}
		return well, nil
	}
}

// throughOutage makes calls of it, and returns how that went.
func throughOutage(t *testing.T, serve service, every func() time.Duration) *client {
	t.Helper()
	y := newYard()
	c := &client{yard: y, breaker: adaptive(t), serve: serve, every: every}
	c.call(outageEnds + 20*time.Second)
	y.run(outageEnds + 40*time.Second)
	return c
}

// recovered is how long after the outage 95 % of the calls of each 200 ms pass, and go on to do so.
func (c *client) recovered() time.Duration {
	const step = 200 * time.Millisecond
	last := outageEnds
	for from := outageEnds; from < outageEnds+20*time.Second; from += step {
		if t := c.tally(from, from+step); t.all > 0 && t.passing() < 0.95 {
			last = from + step
		}
	}
	return last - outageEnds
}

func TestAnOutageIsNoticedAndItsEndSoon(t *testing.T) {
	t.Parallel()
	simulates(t)
	for name, serve := range map[string]service{
		"at once": outage(0, 0), "after 20 ms": outage(20*time.Millisecond, 20*time.Millisecond),
	} {
		for run := range 25 { // probes come at random
			synctest.Test(t, func(t *testing.T) {
				c := throughOutage(t, serve, evenly(100))
				if before := c.tally(0, outageBegins); before.refused != 0 {
					t.Errorf("%s: want none refused before the outage, have %d", name, before.refused)
				}
				if first := c.firstRefusal(outageBegins) - outageBegins; first < 0 || first > time.Second {
					t.Errorf("%s, run %d: want the first refused within 1 s, have it after %v", name, run, first)
				}
				if most := c.tally(outageBegins+5*time.Second, outageEnds); most.passing() > 0.01 {
					t.Errorf("%s, run %d: want 99 %% refused after 5 s, have %d of %d", name, run, most.refused, most.all)
				}
				if soon := c.recovered(); soon > 3*time.Second {
					t.Errorf("%s, run %d: want 95 %% passing 3 s after the outage, have it after %v", name, run, soon)
				}
				if after := c.tally(outageEnds+3*time.Second, outageEnds+20*time.Second); after.refused != 0 {
					t.Errorf("%s, run %d: want none refused after that, have %d", name, run, after.refused)
				}
			})
		}
	}
}

// partial is a service that is down for 20 s, but for a share of its calls.
func partial(share float64, seed uint64) service {
	well := unreliable(1-share, seed)
	return func(now time.Duration) (time.Duration, error) {
		if now >= outageBegins && now < outageEnds {
			return well(now)
		}
		return 20 * time.Millisecond, nil
	}
}

func TestAnOutageThatIsNotWholeEndsAsSoon(t *testing.T) {
	t.Parallel()
	simulates(t)
	for _, share := range []float64{0.01, 0.05, 0.1, 0.3, 0.5} {
		var soon durations
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) {
				soon = append(soon, throughOutage(t, partial(share, seed), evenly(100)).recovered())
			})
		}
		t.Logf("| %.0f %% succeed | %v | %v |", 100*share, soon.median(), soon.most())
		if soon.most() > 4*time.Second {
			t.Errorf("%v succeed meanwhile: want 95 %% passing within 4 s, have %v", share, soon.most())
		}
	}
}

// After an outage in which calls hang, those that were let through before go on to fail when all is well.
func TestCallsThatTimeOutAfterAnOutageDoNotDelayRecovery(t *testing.T) {
	t.Parallel()
	simulates(t)
	for _, fails := range []time.Duration{5 * time.Second, 15 * time.Second} {
		for run := range 10 {
			synctest.Test(t, func(t *testing.T) {
				c := throughOutage(t, outage(20*time.Millisecond, fails), evenly(100))
				if first := c.firstRefusal(outageBegins) - outageBegins; first < 0 || first > fails+time.Second {
					t.Errorf("want the first refused within 1 s after the first failure, after %v, have it after %v", fails, first)
				}
				if soon := c.recovered(); soon > 3*time.Second {
					t.Errorf("run %d: calls fail after %v: want 95 %% passing 3 s after the outage, have it after %v", run, fails, soon)
				}
			})
		}
	}
}

func TestItIsHalfOpenBeforeItIsOpenAndAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var states []circuitbreaker.State
		y := newYard()
		c := &client{yard: y, serve: outage(0, 0), every: evenly(100), breaker: adaptive(t, circuitbreaker.AdaptiveChanges(func(from, to circuitbreaker.State) {
			if n := len(states); n > 0 && states[n-1] != from {
				t.Errorf("want a change from %v, have one from %v", states[n-1], from)
			}
			states = append(states, to)
		}))}
		c.call(time.Minute)
		y.run(time.Minute)
		want := []circuitbreaker.State{circuitbreaker.HalfOpen, circuitbreaker.Open, circuitbreaker.HalfOpen, circuitbreaker.Closed}
		if !slices.Equal(want, states) {
			t.Errorf("want %v, have %v", want, states)
		}
	})
}

// TestOutageTable writes the table of docs/circuitbreaker.md: go test ./circuitbreaker -run OutageTable -v.
func TestOutageTable(t *testing.T) {
	t.Parallel()
	simulates(t)
	const runs = 10
	t.Log("| calls a second | take | fail after | first refused | refused 5 s later | 95 % pass again after, median and worst |")
	for _, row := range []struct {
		rate        float64
		well, fails time.Duration
	}{
		{5, 20 * time.Millisecond, 20 * time.Millisecond},
		{20, 20 * time.Millisecond, 20 * time.Millisecond},
		{100, 0, 0},
		{100, 20 * time.Millisecond, 20 * time.Millisecond},
		{100, 500 * time.Millisecond, 500 * time.Millisecond},
		{100, 20 * time.Millisecond, 5 * time.Second},
		{1000, 20 * time.Millisecond, 20 * time.Millisecond},
	} {
		var first, soon durations
		var after tally
		for range runs {
			synctest.Test(t, func(t *testing.T) {
				c := throughOutage(t, outage(row.well, row.fails), evenly(row.rate))
				first, soon = append(first, c.firstRefusal(outageBegins)-outageBegins), append(soon, c.recovered())
				more := c.tally(outageBegins+row.fails+5*time.Second, outageEnds)
				after.all, after.refused = after.all+more.all, after.refused+more.refused
			})
		}
		t.Logf("| %v | %v | %v | %v | %.1f %% | %v, %v |", row.rate, row.well, row.fails, first.median().Round(10*time.Millisecond),
			100*float64(after.refused)/float64(after.all), soon.median(), soon.most())
		if soon.most() > 5*time.Second {
			t.Errorf("want a recovery in less than 5 s everywhere, have %v", soon.most())
		}
	}
}
