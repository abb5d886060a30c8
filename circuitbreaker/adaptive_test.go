package circuitbreaker_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

func TestEachConstantOfTheAdaptiveBreakerIsSetAndChecked(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string][]circuitbreaker.AdaptiveOption{
		"AdaptiveWindow(0s): want more than 0":                                                         {circuitbreaker.AdaptiveWindow(0)},
		"AdaptiveBuckets(1): want 2 to 1000":                                                           {circuitbreaker.AdaptiveBuckets(1)},
		"AdaptiveBuckets(1001): want 2 to 1000":                                                        {circuitbreaker.AdaptiveBuckets(1001)},
		"AdaptiveK(0.9): want a number of 1 or more":                                                   {circuitbreaker.AdaptiveK(0.9)},
		"AdaptiveK(NaN): want a number of 1 or more":                                                   {circuitbreaker.AdaptiveK(math.NaN())},
		"AdaptiveK(+Inf): want a number of 1 or more":                                                  {circuitbreaker.AdaptiveK(math.Inf(1))},
		"AdaptiveK(1.05): want 1.1 at least, which it sinks to by default; for less, set AdaptiveMinK": {circuitbreaker.AdaptiveK(1.05)},
		"AdaptiveMinK(0.5, 1s): want a number of 1 or more, and a time of more than 0":                 {circuitbreaker.AdaptiveMinK(0.5, time.Second)},
		"AdaptiveMinK(1, 0s): want a number of 1 or more, and a time of more than 0":                   {circuitbreaker.AdaptiveMinK(1, 0)},
		"AdaptiveMinK(1.6, 1s): want at most K, which is 1.5 by default; for more, set AdaptiveK":      {circuitbreaker.AdaptiveMinK(1.6, time.Second)},
		"AdaptiveMinK(1.6, 1s): want at most K, and AdaptiveK sets 1.55":                               {circuitbreaker.AdaptiveMinK(1.6, time.Second), circuitbreaker.AdaptiveK(1.55)},
		"AdaptiveProtection(-1): want 0 to 2147483647":                                                 {circuitbreaker.AdaptiveProtection(-1)},
		"AdaptiveProbe(0s): want 1ms to 24h0m0s":                                                       {circuitbreaker.AdaptiveProbe(0)},
		"AdaptiveStreak(0, 0s): want 1 to 2147483647 calls":                                            {circuitbreaker.AdaptiveStreak(0, 0)},
		"AdaptiveStreak(1, -1s): want 1 to 2147483647 calls, and a time of 0 to 24h0m0s":               {circuitbreaker.AdaptiveStreak(1, -time.Second)},
		"AdaptiveStreak(1, 24h0m0.000000001s): want":                                                   {circuitbreaker.AdaptiveStreak(1, 24*time.Hour+1)},
		"AdaptiveChanges: the function is nil":                                                         {circuitbreaker.AdaptiveChanges(nil)},
		"AdaptiveWindow(20ms): want 30ms at least for 30 buckets; for less, set AdaptiveBuckets":       {circuitbreaker.AdaptiveWindow(20 * time.Millisecond)},
		"the options of the adaptive breaker: function 0 is nil":                                       {nil},
	} {
		_, err := circuitbreaker.NewAdaptive(opts...)
		if err == nil || !strings.HasPrefix(err.Error(), "circuitbreaker: "+want) {
			t.Errorf("want %q, have %v", want, err)
		}
		if _, err := circuitbreaker.New(circuitbreaker.Adaptive(opts...)); err == nil || !strings.HasPrefix(err.Error(), "circuitbreaker: "+want) {
			t.Errorf("New: want %q, have %v", want, err)
		}
	}
}

// fails makes so many calls fail at once, and returns how many were let through.
func fails(b circuitbreaker.Breaker, calls int) (passed int) {
	for range calls {
		if done, err := b.Allow(); err == nil {
			done(errDown)
			passed++
		}
	}
	return passed
}

func TestTheConstantsOfTheAdaptiveBreakerMatter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []circuitbreaker.AdaptiveOption
		try  func(b circuitbreaker.Breaker) int
		want int
	}{
		"as it comes":         {nil, func(b circuitbreaker.Breaker) int { return fails(b, 100) }, 6},
		"a higher protection": {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveProtection(20)}, func(b circuitbreaker.Breaker) int { return fails(b, 100) }, 21},
		"none":                {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveProtection(0)}, func(b circuitbreaker.Breaker) int { return fails(b, 100) }, 1},
		"probes": {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveProbe(100 * time.Millisecond)}, func(b circuitbreaker.Breaker) int {
			fails(b, 100)
			n := 0
			for range 100 {
				<-time.After(126 * time.Millisecond)
				n += fails(b, 10)
			}
			return n
		}, 100},
		"a long window": {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveWindow(time.Hour)}, func(b circuitbreaker.Breaker) int {
			fails(b, 6)
			<-time.After(50 * time.Minute)
			return fails(b, 10)
		}, 0},
		"a short window": {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveWindow(time.Second)}, func(b circuitbreaker.Breaker) int {
			fails(b, 6)
			<-time.After(2 * time.Second)
			return fails(b, 4)
		}, 4},
		"a high K": {[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveK(100)}, func(b circuitbreaker.Breaker) int {
			succeeds(b, 10)
			return fails(b, 500)
		}, 500},
		"a long slide to the lowest K": {
			[]circuitbreaker.AdaptiveOption{circuitbreaker.AdaptiveK(100), circuitbreaker.AdaptiveMinK(1, time.Hour)},
			func(b circuitbreaker.Breaker) int {
				succeeds(b, 10)
				for range 10 {
					fails(b, 1)
					<-time.After(100 * time.Millisecond)
				}
				return fails(b, 100)
			}, 100,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if have := test.try(adaptive(t, test.opts...)); test.want != have {
					t.Errorf("want %d let through, have %d", test.want, have)
				}
			})
		})
	}
}

func succeeds(b circuitbreaker.Breaker, calls int) (passed int) {
	for range calls {
		if done, err := b.Allow(); err == nil {
			done(nil)
			passed++
		}
	}
	return passed
}

func TestARefusalOfTheAdaptiveBreakerSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	a := adaptive(t, circuitbreaker.AdaptiveProbe(2*time.Second))
	fails(a, 6)
	done, err := a.Allow()
	open, ok := errors.AsType[*circuitbreaker.OpenError](err)
	if done != nil || !ok || !errors.Is(err, circuitbreaker.ErrOpen) || open.RetryAfter != 2*time.Second {
		t.Errorf("want ErrOpen, and 2 s, have %v", err)
	}
}

func TestWhatABurstHasDoneLongAgoDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := adaptive(t)
		var all []func(error)
		for range 100 {
			done, err := a.Allow()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, done)
		}
		<-time.After(2 * time.Second)
		for _, done := range all {
			done(errDown)
		}
		if r := a.Report(); r.Failures != 100 || r.DropRatio != 0 {
			t.Errorf("want the failures counted when they are known, and none dropped before anybody asks, have %+v", r)
		}
		<-time.After(time.Hour)
		if have := succeeds(a, 100); have != 100 {
			t.Errorf("want all let through an hour later, have %d", have)
		}
	})
}

// A caller who makes one call after the other, each of which fails when it has timed out, is one whose calls all fail.
func TestSlowFailuresCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := adaptive(t, circuitbreaker.AdaptiveWindow(time.Minute))
		for i := range 100 {
			done, err := a.Allow()
			if err != nil {
				if i < 6 || i > 8 {
					t.Errorf("want the seventh call refused, have call %d", i+1)
				}
				return
			}
			<-time.After(5 * time.Second)
			done(errDown)
		}
		t.Error("want one refused")
	})
}

func TestTheReportSaysHowItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := adaptive(t)
		succeeds(a, 10)
		fails(a, 2)
		if want, have := (circuitbreaker.Report{Successes: 10, Failures: 2}), a.Report(); want != have {
			t.Errorf("want %+v, have %+v", want, have)
		}
		<-time.After(time.Minute)
		fails(a, 20)
		if have := a.Report(); have.State != circuitbreaker.HalfOpen && have.State != circuitbreaker.Open || have.DropRatio < 0.5 {
			t.Errorf("want it to drop most, have %+v", have)
		}
		<-time.After(time.Minute)
		if want, have := (circuitbreaker.Report{}), a.Report(); want != have {
			t.Errorf("want what it was at first when nobody has called for a while, have %+v", have)
		}
	})
}

func TestNeitherALetThroughNorARefusedCallAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, outcome := range map[string]error{"success": nil, "failure": errDown, "ignored": circuitbreaker.ErrIgnored} {
		a := adaptive(t)
		call := func() {
			if done, err := a.Allow(); err == nil {
				done(outcome)
			}
		}
		if have := testing.AllocsPerRun(1000, call); have != 0 {
			t.Errorf("%s: want 0 allocations, have %v", name, have)
		}
	}
}

func TestStatesHaveNames(t *testing.T) {
	t.Parallel()
	want := []string{"closed", "half open", "open", "unknown"}
	for i, s := range []circuitbreaker.State{circuitbreaker.Closed, circuitbreaker.HalfOpen, circuitbreaker.Open, 9} {
		if have := s.String(); want[i] != have {
			t.Errorf("want %s, have %s", want[i], have)
		}
	}
}
