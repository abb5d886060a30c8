package lb_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// costs returns what each instance costs.
func (y *yard) costs() map[string]time.Duration {
	costs := make(map[string]time.Duration)
	for _, s := range y.pool.Instances() {
		costs[s.Instance.ID] = s.Cost.Round(time.Microsecond)
	}
	return costs
}

// A new instance costs what the others cost on the average: less, and all calls would go to it at once.
func TestANewInstanceIsTakenToBeAsTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, only("c", func(context.Context, sd.Instance) error {
			time.Sleep(time.Minute) // so that what was known when it joined is of no use any more
			return nil
		}), lb.PoolPolicy(lb.PeakEWMA()), lb.PoolDialTimeout(time.Hour))
		y.names("a")
		y.names("a", "c")
		time.Sleep(time.Minute - time.Second)
		y.names("a", "b", "c")
		_, first := y.begin()
		_, second := y.begin() // at the other
		time.Sleep(10 * time.Millisecond)
		first(nil)
		time.Sleep(20 * time.Millisecond)
		second(nil)
		time.Sleep(970 * time.Millisecond)
		synctest.Wait()
		costs := y.costs()
		mean := (costs["a"] + costs["b"]) / 2
		if have := costs["c"]; have < mean-mean/10 || have > mean+mean/10 || have < 15*time.Millisecond {
			t.Errorf("want c to cost %v, have %v", mean, costs)
		}
	})
}

func TestAnInstanceThatReturnsBeginsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolPolicy(lb.PeakEWMA()))
		y.names("a", "b")
		open := make(map[string][]func(error))
		for range 12 {
			at, done := y.begin()
			open[at.instance.ID] = append(open[at.instance.ID], done)
		}
		time.Sleep(time.Millisecond)
		for _, done := range open["a"] {
			done(nil)
		}
		time.Sleep(time.Second)
		for i, done := range open["b"] {
			done(map[bool]error{true: errBroken}[i > 0])
		}
		synctest.Wait()
		y.wantStates("a ready", "b out")
		if costs := y.costs(); costs["b"] < 500*time.Millisecond {
			t.Errorf("want b to cost a second, have %v", costs)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		y.wantStates("a ready", "b ready")
		if costs := y.costs(); costs["b"] == 0 || costs["b"] > 2*time.Millisecond {
			t.Errorf("want b to cost what a does, have %v", costs)
		}
		y.wantPart("b", 0.3, 1)
	})
}

// A call that was given up took at least so long; one that was given up sooner says nothing.
func TestWhatACallThatIsGivenUpSaysOfItsInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolPolicy(lb.PeakEWMA()))
		y.names("a")
		for _, row := range []struct {
			took time.Duration
			err  error
			want time.Duration
		}{
			{50 * time.Millisecond, nil, 50 * time.Millisecond},
			{20 * time.Millisecond, context.Canceled, 50 * time.Millisecond},
			{80 * time.Millisecond, context.Canceled, 80 * time.Millisecond},
			{90 * time.Millisecond, errBroken, 90 * time.Millisecond},
			{30 * time.Millisecond, errBroken, 90 * time.Millisecond},
		} {
			_, done := y.begin()
			time.Sleep(row.took)
			done(row.err)
			if have := y.pool.Instances()[0].Cost; (row.want - have).Abs() > time.Millisecond {
				t.Errorf("after a call of %v that ended with %v: want a cost of %v, have %v", row.took, row.err, row.want, have)
			}
		}
	})
}
