package circuitbreakertest_test

import (
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/circuitbreaker/circuitbreakertest"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
)

func TestTheBreakersOfAshlarPass(t *testing.T) {
	t.Parallel()
	rate := gobreaker.Settings{
		Interval: 10 * time.Second, BucketPeriod: time.Second, Timeout: 5 * time.Second, MaxRequests: 3,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= 20 && c.TotalFailures*2 > c.Requests },
	}
	for name, h := range map[string]circuitbreakertest.Harness{
		"adaptive": {Policy: circuitbreaker.Adaptive(), Patience: 5 * time.Second},
		"adaptive, otherwise": {Patience: 40 * time.Second, Policy: circuitbreaker.Adaptive(
			circuitbreaker.AdaptiveWindow(10*time.Second), circuitbreaker.AdaptiveBuckets(40), circuitbreaker.AdaptiveK(2),
			circuitbreaker.AdaptiveProbe(3*time.Second), circuitbreaker.AdaptiveStreak(50, 2*time.Second))},
		"gobreaker":                  {Policy: sonybreaker.New(gobreaker.Settings{})},
		"gobreaker, by rate":         {Policy: sonybreaker.New(rate), Patience: 10 * time.Second},
		"gobreaker's doers":          {Policy: sonybreaker.New(gobreaker.Settings{}), Doers: true},
		"gobreaker's doers, by rate": {Policy: sonybreaker.New(rate), Doers: true, Patience: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := circuitbreakertest.Test(t, h); err != nil {
				t.Error(err)
			}
			circuitbreakertest.Run(t, h)
		})
	}
}

func TestAHarnessNeedsAPolicy(t *testing.T) {
	t.Parallel()
	for _, h := range []circuitbreakertest.Harness{{}, {Policy: circuitbreaker.Adaptive(), Doers: true}} {
		if err := circuitbreakertest.Test(t, h); err == nil {
			t.Error("want an error")
		}
	}
}
