package circuitbreaker_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// unreliable is a service of which a share of the calls fails at random.
func unreliable(share float64, seed uint64) service {
	random := rand.New(rand.NewPCG(seed, 2))
	return func(time.Duration) (time.Duration, error) {
		if random.Float64() < share {
			return 0, errDown
		}
		return 0, nil
	}
}

// refusedShare is how many of so many calls are refused.
func refusedShare(t *testing.T, rate, errs float64, calls int, seed uint64) float64 {
	t.Helper()
	y := newYard()
	c := &client{yard: y, breaker: adaptive(t), serve: unreliable(errs, seed), every: poisson(rate, seed)}
	end := time.Duration(float64(calls) / rate * float64(time.Second))
	c.call(end)
	y.run(end)
	return 1 - c.tally(0, end).passing()
}

func TestFivePercentOfErrorsNeverTripIt(t *testing.T) {
	t.Parallel()
	simulates(t)
	for _, rate := range []float64{0.5, 1, 2, 3, 5, 8, 15, 50, 100, 1000} {
		for seed := range uint64(4) {
			synctest.Test(t, func(t *testing.T) {
				if have := refusedShare(t, rate, 0.05, 20_000, seed); have != 0 {
					t.Errorf("%v calls a second, seed %d: want none refused, have %v", rate, seed, have)
				}
			})
		}
	}
}

// TestErrorsTable writes the table of docs/circuitbreaker.md: go test ./circuitbreaker -run ErrorsTable -v.
func TestErrorsTable(t *testing.T) {
	t.Parallel()
	simulates(t)
	t.Log("| errors | 1 a second | 5 | 15 | 100 | 1000 |")
	for _, errs := range []float64{0.05, 0.1, 0.2, 0.3, 0.5} {
		row := make([]float64, 0, 5)
		for _, rate := range []float64{1, 5, 15, 100, 1000} {
			synctest.Test(t, func(t *testing.T) { row = append(row, 100*refusedShare(t, rate, errs, 20_000, 1)) })
		}
		t.Logf("| %.0f %% | %.3f | %.3f | %.3f | %.3f | %.3f |", 100*errs, row[0], row[1], row[2], row[3], row[4])
		if errs <= 0.1 && row[3]+row[4] != 0 {
			t.Errorf("want none refused of many calls of which %v fail, have %v", errs, row)
		}
	}
}
