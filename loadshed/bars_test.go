package loadshed_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/loadshed/shedsim"
)

// TestGoodputAndLatencyHoldUnderOverload is the bar: at one to ten times what a service can do, 0.90 of that is done in time, and 99 of 100 calls
// take no longer than three times as long as at 0.8, from three seconds after the beginning, or 330 calls' time.
func TestGoodputAndLatencyHoldUnderOverload(t *testing.T) {
	t.Parallel()
	for name, service := range services() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			capacity, mean := capacityOf(service)
			c := shedsim.Config{Service: service, Warmup: min(3*time.Second, 300*mean) + 30*mean, Measure: spanOf(capacity, mean)}
			patience := 100 * mean
			c.Loads = []shedsim.Load{{Rate: 0.8 * capacity, Patience: patience}}
			calm := bare(t, c).Quantile(0.99)
			for _, times := range []float64{0.8, 1, 2, 5, 10} {
				c.Loads = []shedsim.Load{{Rate: times * capacity, Patience: patience}}
				have, status := simulate(t, c)
				goodput, p99 := have.Goodput()/capacity, have.Quantile(0.99)
				t.Logf("%4.1f times: goodput %.3f, p99 %v, %.2f of that at 0.8, refused %.3f, limit %d", times, goodput, p99.Round(time.Microsecond),
					float64(p99)/float64(calm), have.Share(shedsim.Refused), status.Limit)
				if want := min(0.9, 0.95*times); goodput < want {
					t.Errorf("%v times: goodput: want %.2f of the capacity or more, have %.3f", times, want, goodput)
				}
				if want := 3 * calm; p99 > want {
					t.Errorf("%v times: p99: want %v or less, have %v", times, want, p99)
				}
			}
		})
	}
}

// capacityOf returns how many calls a second the service can do, and how long one takes when it is alone.
func capacityOf(s shedsim.Service) (rate float64, mean time.Duration) {
	const draws = 100_000
	random := newRandom()
	for range draws {
		mean += s.Work(random)
	}
	mean /= draws
	return float64(s.Workers) / mean.Seconds(), mean + s.Apart
}

// spanOf returns for how long to measure: some thousand calls.
func spanOf(capacity float64, mean time.Duration) time.Duration {
	calls := 20_000.0
	if raceEnabled {
		calls = 4000
	}
	return min(max(time.Duration(calls/capacity*float64(time.Second)), 50*mean), 200*time.Second)
}

func TestWithoutItTheServiceCollapses(t *testing.T) {
	t.Parallel()
	service := services()["two, 10 ms"]
	capacity, mean := capacityOf(service)
	have := bare(t, shedsim.Config{
		Service: service, Warmup: 10 * time.Second, Measure: 10 * time.Second, Loads: []shedsim.Load{{Rate: 2 * capacity, Patience: 100 * mean}},
	})
	if goodput := have.Goodput() / capacity; goodput > 0.1 {
		t.Errorf("the model does not collapse under twice its load: goodput %.2f", goodput)
	}
}
