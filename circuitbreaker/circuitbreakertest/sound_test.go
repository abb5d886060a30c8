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
	for name, h := range map[string]circuitbreakertest.Harness{
		"adaptive": {Policy: circuitbreaker.Adaptive(), Patience: 5 * time.Second},
		"adaptive, otherwise": {Patience: 40 * time.Second, Policy: circuitbreaker.Adaptive(
			circuitbreaker.AdaptiveWindow(10*time.Second), circuitbreaker.AdaptiveBuckets(40), circuitbreaker.AdaptiveK(2),
			circuitbreaker.AdaptiveProbe(3*time.Second), circuitbreaker.AdaptiveStreak(50, 2*time.Second))},
		"gobreaker":         {Policy: sonybreaker.New(gobreaker.Settings{})},
		"gobreaker's doers": {Policy: sonybreaker.New(gobreaker.Settings{}), Doers: true},
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

func TestAHarnessThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	for _, h := range []circuitbreakertest.Harness{
		{},
		{Policy: circuitbreaker.Adaptive(), Doers: true},
		{Policy: circuitbreaker.Adaptive(), Patience: -1},
	} {
		if err := circuitbreakertest.Test(t, h); err == nil {
			t.Error("want an error")
		}
	}
}
