package lb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// ponderous is RoundRobin, whose Pickers take 20 ms to make, as those of ConsistentHash do for 10,000 instances.
type ponderous struct{ made *int }

func (ponderous) Measures() bool { return false }

func (p ponderous) Picker(nodes []*lb.Node) lb.Picker {
	*p.made++
	<-time.After(20 * time.Millisecond)
	return lb.RoundRobin().Picker(nodes)
}

// Snapshots take half of the time at most when one instance after the other fails, and when one after the other joins no longer waits for
// its snapshot than 50 ms besides.
func TestSnapshotsDoNotTakeAllOfTheTime(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		happens func(y *yard, n int)
		least   int
		most    int
	}{
		"failing": {func(y *yard, _ int) {
			_, done := y.begin()
			done(errBroken)
		}, 20, 27},
		"joining": {func(y *yard, n int) {
			y.news <- func(yield func([]sd.Instance, error) bool) bool { return yield(instances(1001+n), nil) }
		}, 8, 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var made int
				y := openYard(t, nil, lb.PoolPolicy(ponderous{&made}), lb.PoolEjectAfter(1), lb.PoolEjectTime(time.Hour, time.Hour), lb.PoolEjectRate(0))
				y.set(instances(1001)...)
				time.Sleep(time.Minute)
				synctest.Wait()
				before := made
				for n := range 400 {
					row.happens(y, n)
					time.Sleep(2500 * time.Microsecond)
				}
				synctest.Wait()
				if have := made - before; have > row.most || have < row.least {
					t.Errorf("in a second it has made %d snapshots, of 20 ms each; want %d to %d", have, row.least, row.most)
				}
			})
		})
	}
}
