package circuitbreaker_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// capacity is a service that accepts so many calls a second, in bursts of up to a quarter of that, and refuses the others.
func capacity(rate float64) service {
	tokens, last := 0.0, time.Duration(0)
	return func(now time.Duration) (time.Duration, error) {
		tokens = min(rate/4, tokens+rate*(now-last).Seconds())
		last = now
		if tokens < 1 {
			return 0, errDown
		}
		tokens--
		return 0, nil
	}
}

// quota is one that accepts so many in each second, and refuses what comes after them until the next.
func quota(rate int) service {
	second, used := 0, 0
	return func(now time.Duration) (time.Duration, error) {
		if s := int(now / time.Second); s != second {
			second, used = s, 0
		}
		if used++; used > rate {
			return 0, errDown
		}
		return 0, nil
	}
}

type overload struct {
	sent, accepted float64 // of what the service can do
	least, most    float64 // accepted in 5 s, of that
	refused        float64
	changes        int // of the state
}

// overloaded calls a service that can do rate calls a second with over times as many.
func overloaded(t *testing.T, serve service, rate, over float64, seed uint64) (o overload) {
	t.Helper()
	const settle, end, step = 20 * time.Second, 120 * time.Second, 5 * time.Second
	y := newYard()
	c := &client{yard: y, serve: serve, every: poisson(rate*over, seed)}
	c.breaker = adaptive(t, circuitbreaker.AdaptiveChanges(func(_, _ circuitbreaker.State) {
		if y.now() > settle {
			o.changes++
		}
	}))
	c.call(end)
	y.run(end)
	all := c.tally(settle, end)
	possible := rate * (end - settle).Seconds()
	o.sent, o.accepted, o.refused = float64(all.sent())/possible, float64(all.accepted())/possible, 1-all.passing()
	o.least = math.Inf(1)
	for from := settle; from < end; from += step {
		part := float64(c.tally(from, from+step).accepted()) / rate / step.Seconds()
		o.least, o.most = min(o.least, part), max(o.most, part)
	}
	return o
}

// What SRE's formula is for: a service that is offered more than it can do gets about K times that, evenly, and accepts all that it can.
func TestUnderOverloadTheServiceGetsWhatTheFormulaSays(t *testing.T) {
	t.Parallel()
	simulates(t)
	t.Log("| the service | offered | sent | accepted | in 5 s | refused here | changes of the state in 100 s |")
	for _, rate := range []float64{20, 100, 300} {
		for _, kind := range []string{"with bursts", "each second"} {
			for _, over := range []float64{0.9, 1.2, 2, 5, 10} {
				synctest.Test(t, func(t *testing.T) {
					serve := capacity(rate)
					if kind == "each second" {
						serve = quota(int(rate))
					}
					o := overloaded(t, serve, rate, over, uint64(rate))
					t.Logf("| %v %s | %v | %.2f | %.2f | %.2f to %.2f | %.1f %% | %d |", rate, kind, over, o.sent, o.accepted, o.least, o.most, 100*o.refused, o.changes)
					if over < 1 && o.refused != 0 {
						t.Errorf("want none refused, have %.2f %%", 100*o.refused)
					}
					if over < 2 {
						return
					}
					if k := o.sent / o.accepted; k < 1.3 || k > 1.65 {
						t.Errorf("want about %v times what is accepted sent, have %.2f", circuitbreaker.DefaultK, k)
					}
					if o.accepted < 0.9 || o.least < 0.75 {
						t.Errorf("want the service busy all the time, have %.2f accepted of what it can do, and in 5 s no more than %.2f", o.accepted, o.least)
					}
					if o.changes > 10 {
						t.Errorf("want it to settle, have %d changes of the state", o.changes)
					}
				})
			}
		}
	}
}

// A hundred clients call a service that does not come back by itself while it is overrun: more than it can do in a tenth of a second makes
// it fail all for the next.
func TestManyClientsTogetherLetAServiceRecover(t *testing.T) {
	t.Parallel()
	simulates(t)
	synctest.Test(t, func(t *testing.T) {
		const clients, rate, limit = 100, 10.0, 1.5 * 1000 / 10
		y := newYard()
		tenth, calls, broken := time.Duration(0), 0, time.Duration(-1)
		worst := 0
		serve := func(now time.Duration) (time.Duration, error) {
			if n := now / (100 * time.Millisecond); n != tenth {
				tenth, calls = n, 0
			}
			if calls++; float64(calls) > limit {
				broken = tenth + 1
			}
			if now > outageEnds {
				worst = max(worst, calls)
			}
			if now >= outageBegins && now < outageEnds || tenth <= broken {
				return 10 * time.Millisecond, errDown
			}
			return 10 * time.Millisecond, nil
		}
		all := make([]*client, clients)
		for i := range all {
			all[i] = &client{yard: y, breaker: adaptive(t), serve: serve, every: poisson(rate, uint64(i))}
			all[i].call(outageEnds + 10*time.Second)
		}
		y.run(outageEnds + 20*time.Second)
		total := func(from, to time.Duration) (sum tally) {
			for _, c := range all {
				one := c.tally(from, to)
				sum.all, sum.refused, sum.failed = sum.all+one.all, sum.refused+one.refused, sum.failed+one.failed
			}
			return sum
		}
		probes := total(outageBegins+5*time.Second, outageEnds)
		most := 0
		for from := outageBegins + 5*time.Second; from < outageEnds; from += 100 * time.Millisecond {
			most = max(most, total(from, from+100*time.Millisecond).sent())
		}
		t.Logf("probes: %d in 15 s, at most %d in a tenth of a second; after the outage at most %d calls in a tenth", probes.sent(), most, worst)
		if most > 30 {
			t.Errorf("want the probes of %d clients spread over a second, have %d in a tenth", clients, most)
		}
		if after := total(outageEnds+3*time.Second, outageEnds+10*time.Second); after.passing() < 0.95 || after.failed > after.all/100 {
			t.Errorf("want all well 3 s after the outage, have %+v", after)
		}
	})
}

// A part of the service comes back: the ramp ends where it has no more room, and the formula goes on from there.
func TestAServiceThatComesBackInPartIsUsedInPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newYard()
		whole, part := outage(0, 0), capacity(30)
		c := &client{yard: y, breaker: adaptive(t), every: evenly(100), serve: func(now time.Duration) (time.Duration, error) {
			if now > outageEnds {
				return part(now)
			}
			return whole(now)
		}}
		c.call(outageEnds + 60*time.Second)
		y.run(outageEnds + 60*time.Second)
		got := c.tally(outageEnds+10*time.Second, outageEnds+60*time.Second)
		if k := float64(got.sent()) / float64(got.accepted()); got.accepted() < 1350 || k < 1.3 || k > 1.7 {
			t.Errorf("want nearly 1500 accepted, and about 1.5 times as many sent, have %d and %d", got.accepted(), got.sent())
		}
	})
}
