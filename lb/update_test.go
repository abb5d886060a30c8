package lb_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

func TestSurvivorsKeepTheirClientAndWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolPolicy(lb.PeakEWMA()), lb.PoolEjectAfter(0))
		y.names("a")
		first, done := y.begin()
		time.Sleep(50 * time.Millisecond)
		done(nil)
		_, done = y.begin()
		done(errBroken)
		_, open := y.begin()
		y.names("a", "b")
		before := y.pool.Instances()[0]
		y.names("a", "c")
		y.names("0", "a", "b", "c")
		y.set(sd.Instance{ID: "a", Address: "a:80", Weight: 5, Zone: "z"}, named("c")[0])
		after := y.pool.Instances()[0]
		if after.Instance.Weight != 5 || after.Instance.Zone != "z" {
			t.Errorf("want what the registry says now, have %+v", after.Instance)
		}
		if after.InFlight != 1 || after.Failed != 1 || after.Cost != before.Cost || after.Cost != 50*time.Millisecond {
			t.Errorf("want what was known, %+v, have %+v", before, after)
		}
		open(nil)
		if again, done := y.beginAt("a"); again != first || first.closed.Load() != 0 {
			t.Error("want the same client")
		} else {
			done(nil)
		}
		if want, have := 1, y.dialled("a"); want != have {
			t.Errorf("want %d dial, have %d", want, have)
		}
		if want, have := 2, y.dialled("b"); want != have {
			t.Errorf("want %d dials of b, which left and came back, have %d", want, have)
		}
	})
}

func TestAnIDWithAnotherAddressIsAnotherInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		old, done := y.beginAt("a")
		y.set(sd.Instance{ID: "a", Address: "elsewhere:80"}, named("b")[0])
		y.wantStates("a ready", "b ready", "a draining")
		next, nextDone := y.beginAt("a")
		if next == old || next.instance.Address != "elsewhere:80" {
			t.Errorf("want the client of the new address, have that of %v", next.instance)
		}
		nextDone(nil)
		if old.closed.Load() != 0 {
			t.Error("the old client was closed with a call in flight")
		}
		done(nil)
		synctest.Wait()
		if want, have := int32(1), old.closed.Load(); want != have {
			t.Errorf("want the old client closed %d time, have %d", want, have)
		}
	})
}

func TestACarelessInstancer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		for _, set := range [][]sd.Instance{
			named("c", "a", "b", "a", "c"),
			{{Address: "b:80"}, {ID: "c", Address: "c:80"}, {ID: "a", Address: "a:80"}, {ID: "d", Address: "b:80"}},
			named("c", "b", "a"),
		} {
			y.set(set...)
			before := slices.Clone(set)
			if want, have := []string{"a", "b", "c"}, slices.Sorted(maps.Keys(y.calls(30, nil))); !slices.Equal(want, have) && !slices.Equal([]string{"a", "b:80", "c"}, have) {
				t.Errorf("want %v, have %v", want, have)
			}
			if !slices.EqualFunc(before, set, sd.Instance.Equal) {
				t.Error("the set was changed, which is the Instancer's")
			}
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		for id, n := range y.dials {
			if want := map[string]int{"a": 1, "b": 2, "b:80": 1, "c": 1}[id]; want != n {
				t.Errorf("%s: want %d dials, have %d", id, want, n)
			}
		}
	})
}

func TestTheSetStaysWhileTheRegistryFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		y.told()
		y.fail(errors.New("no leader"))
		time.Sleep(time.Hour)
		y.calls(10, nil)
		y.wantTold("registry failed")
		y.names("a", "b")
		y.wantTold("registry back")
		if want, have := 1, y.dialled("a"); want != have {
			t.Errorf("want %d dial, have %d", want, have)
		}
	})
}

// A set that nobody looked at is replaced by the next, however fast they come.
func TestManySetsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		for range 500 {
			set := named("a", "b", "c")
			y.news <- func(yield func([]sd.Instance, error) bool) bool { return yield(set[:2], nil) }
			y.news <- func(yield func([]sd.Instance, error) bool) bool { return yield(set, nil) }
		}
		synctest.Wait()
		y.wantStates("a ready", "b ready", "c ready")
		if want, have := 1, y.dialled("a"); want != have {
			t.Errorf("want %d dial of what stays, have %d", want, have)
		}
		open := 0 // which need not be the one that was made last, since dials go on side by side
		for _, s := range y.made("c") {
			if s.closed.Load() == 0 {
				open++
			}
		}
		if want := 1; want != open {
			t.Errorf("want %d client of c to be open, have %d", want, open)
		}
	})
}

// A pool lets go of what has left, however long its times are: what an instance waits for ends with it.
func TestAPoolDoesNotGrowWithWhatHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		y := openYard(t, nil, lb.PoolDrain(day), lb.PoolSlowStart(day), lb.PoolEjectTime(day, day), lb.PoolEjectAfter(1))
		for n := range 500 { // each is in its slow start, is ejected, and leaves with a call in flight
			id := "n" + strconv.Itoa(n)
			y.names("a", id)
			_, failed := y.beginAt(id)
			_, open := y.beginAt(id)
			failed(errBroken)
			synctest.Wait()
			y.wantStates("a ready", id+" out")
			y.names("a")
			y.wantStates("a ready", id+" draining")
			open(nil)
			synctest.Wait()
			y.wantStates("a ready")
		}
		if have := y.pool.Appointments(); have > 300 {
			t.Errorf("of 500 instances that have left the pool still waits for %d", have)
		}
		y.names("a", "b")
		time.Sleep(day + 1)
		y.calls(10, nil)
		y.wantStates("a ready", "b ready")
	})
}

// An error that a set follows before anybody has looked is over.
func TestASetEndsAFailureThatNobodyLookedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		y := openYard(t, nil, lb.PoolEvents(func(e lb.Event) {
			if e.Kind == lb.Connected {
				<-gate // the pool is busy
			}
		}))
		y.names("a")
		y.fail(errors.New("no leader"))
		y.names()
		close(gate)
		synctest.Wait()
		y.wantTold("connected a", "departed a", "closed a")
		if _, _, err := y.pool.Pick(t.Context()); err == nil || strings.Contains(err.Error(), "leader") {
			t.Errorf("want an error of the empty set, have %v", err)
		}
	})
}
