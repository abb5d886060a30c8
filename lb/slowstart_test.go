package lb_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
)

// part returns the part of the calls that the instance gets, each with a key of its own.
func (y *yard) part(id string) float64 {
	y.t.Helper()
	const calls = 20_000
	count := 0
	for i := range calls {
		s, done, err := y.pool.Pick(lb.WithKey(context.Background(), strconv.Itoa(i)))
		if err != nil {
			y.t.Fatal(err)
		}
		if s.instance.ID == id {
			count++
		}
		done(nil)
	}
	return float64(count) / calls
}

func (y *yard) wantPart(id string, least, most float64) {
	y.t.Helper()
	if have := y.part(id); have < least || have > most {
		y.t.Errorf("want %s to get %v to %v of the calls, have %v", id, least, most, have)
	}
}

func TestASlowStartHoldsWithEveryPolicy(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]lb.Policy{
		"RoundRobin": lb.RoundRobin(), "Random": lb.Random(), "WeightedRoundRobin": lb.WeightedRoundRobin(),
		"LeastRequest": lb.LeastRequest(4), "PeakEWMA": lb.PeakEWMA(), "ConsistentHash": lb.ConsistentHash(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, lb.PoolPolicy(policy), lb.PoolSlowStart(10*time.Second))
				y.names("a", "b", "c")
				y.wantPart("a", 0.24, 0.43) // all have begun just now
				time.Sleep(10 * time.Second)
				y.names("a", "b", "c", "d")
				y.wantPart("d", 0.015, 0.035) // a tenth of a fourth
				time.Sleep(5 * time.Second)
				y.wantPart("d", 0.09, 0.16) // a half of it
				time.Sleep(5 * time.Second)
				y.wantPart("d", 0.18, 0.32)
				y.names("a", "d")
				y.wantPart("d", 0.4, 0.6)
			})
		})
	}
}

func TestASlowStartKeepsNoCallFromWhereAloneItCanGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolSlowStart(time.Minute))
		y.names("a")
		y.wantPart("a", 1, 1)
		time.Sleep(time.Minute)
		y.names("a", "b")
		y.names("b")
		y.wantPart("b", 1, 1)
	})
}

func TestACallThatHasTriedTheWarmGoesToTheCold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolSlowStart(time.Minute), lb.PoolEjectAfter(0))
		y.names("a")
		time.Sleep(time.Minute)
		y.names("a", "b")
		for range 5 {
			var at []string
			call := yardEndpoint(t, y, func(s *stone) error {
				at = append(at, s.instance.ID)
				return errBroken
			})
			_, _ = call(t.Context(), 0)
			if len(at) < 2 || at[0] == at[1] {
				t.Fatalf("want two different instances, have %v", at)
			}
		}
	})
}
