package lb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// zoned returns so many instances of each zone: a0, a1, b0, ...
func zoned(counts map[string]int) (set []sd.Instance) {
	for zone, n := range counts {
		for i := range n {
			id := fmt.Sprintf("%s%d", zone, i)
			set = append(set, sd.Instance{ID: id, Address: id + ":80", Zone: zone})
		}
	}
	return set
}

// near returns the part of the calls that goes to zone a.
func (y *yard) near() float64 {
	y.t.Helper()
	const calls = 20_000
	count := 0
	for id, n := range y.calls(calls, nil) {
		if strings.HasPrefix(id, "a") {
			count += n
		}
	}
	return float64(count) / calls
}

func TestTheOwnZoneIsPreferred(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		counts map[string]int
		out    int // of zone a
		want   float64
	}{
		"all well":              {map[string]int{"a": 5, "b": 10}, 0, 1},
		"one of five out":       {map[string]int{"a": 5, "b": 10}, 1, 1},    // 1.4 times four fifths
		"two of five out":       {map[string]int{"a": 5, "b": 10}, 2, 0.84}, // three fifths, 1.4 times
		"too few in the zone":   {map[string]int{"a": 1, "b": 9}, 0, 0.1},
		"too few are left":      {map[string]int{"a": 3, "b": 9}, 2, 0.1},
		"none in the zone":      {map[string]int{"b": 3}, 0, 0},
		"none in another":       {map[string]int{"a": 3}, 0, 1},
		"another has one alone": {map[string]int{"a": 3, "b": 1}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, lb.PoolZone("a", 2), lb.PoolEjectAfter(1), lb.PoolEjectRate(0))
				y.set(zoned(row.counts)...)
				for i := range row.out {
					_, done := y.beginAt(fmt.Sprintf("a%d", i))
					done(errBroken)
					synctest.Wait()
				}
				if have := y.near(); have < row.want-0.02 || have > row.want+0.02 {
					t.Errorf("want %v of the calls in the zone, have %v", row.want, have)
				}
			})
		})
	}
}

func TestWhichInstancesOfAZoneAreMissing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		dial func(ctx context.Context, i sd.Instance) error
		want float64
	}{
		"those that are dialled for the first time are not": {hang, 1},
		"those that could not be dialled are":               {func(context.Context, sd.Instance) error { return errors.New("refused") }, 0.7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, func(y *yard) {
					y.dial = func(ctx context.Context, i sd.Instance) error {
						if i.ID == "a0" || i.ID == "a1" {
							return row.dial(ctx, i)
						}
						return nil
					}
				}, lb.PoolZone("a", 1))
				y.set(zoned(map[string]int{"a": 4, "b": 4})...)
				if have := y.near(); have < row.want-0.02 || have > row.want+0.02 {
					t.Errorf("want %v of the calls in the zone, have %v", row.want, have)
				}
			})
		})
	}
}

func TestAnInstanceThatChangesItsZone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolZone("a", 1))
		set := zoned(map[string]int{"a": 2, "b": 2})
		y.set(set...)
		if have := y.near(); have != 1 {
			t.Errorf("want all calls in the zone, have %v", have)
		}
		for i := range set {
			set[i].Zone = map[string]string{"a": "b", "b": "a"}[set[i].Zone]
		}
		y.set(set...)
		if have := y.near(); have != 0 {
			t.Errorf("want no calls where the zone was, have %v", have)
		}
	})
}

// A call that has tried all instances of its zone goes to another.
func TestACallGoesToAnotherZoneWhenItHasTriedItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolZone("a", 1), lb.PoolEjectAfter(0))
		y.set(zoned(map[string]int{"a": 1, "b": 1})...)
		for range 3 {
			var at []string
			call := yardEndpoint(t, y, func(s *stone) error {
				at = append(at, s.instance.ID)
				return errBroken
			})
			_, _ = call(t.Context(), 0)
			if len(at) < 2 || at[0] != "a0" || at[1] != "b0" {
				t.Fatalf("want a0 and then b0, have %v", at)
			}
		}
	})
}
