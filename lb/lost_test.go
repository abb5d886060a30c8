package lb_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// flaky is a service whose instance a is down at times. Its clients are the numbers of the dials that made them.
type flaky struct {
	mu     sync.Mutex
	down   bool
	lazy   bool // dialling does not find out that it is down
	dials  int
	events []lb.EventKind
}

func (f *flaky) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *flaky) dial(_ context.Context, i sd.Instance) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.ID == "a" {
		f.dials++
		if f.down && !f.lazy {
			return "", errors.New("connection refused")
		}
	}
	return i.ID, nil
}

// pick makes n calls, and returns how many went to a.
func (f *flaky) pick(t *testing.T, p *lb.Pool[string], n int) (toA int) {
	t.Helper()
	for range n {
		client, done, err := p.Pick(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		down := f.down
		f.mu.Unlock()
		switch {
		case client != "a":
			done(nil)
		case down:
			toA++
			done(errRefused)
		default:
			toA++
			done(nil)
		}
		synctest.Wait()
	}
	return toA
}

func (f *flaky) pool(t *testing.T) *lb.Pool[string] {
	t.Helper()
	set, err := sd.NewStaticAddresses("a", "b")
	if err != nil {
		t.Fatal(err)
	}
	p, err := lb.New("quarry", set, f.dial, lb.PoolPolicy(lb.RoundRobin()), lb.PoolEvents(func(e lb.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if e.Instance.ID == "a" {
			f.events = append(f.events, e.Kind)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	synctest.Wait()
	return p
}

func TestAnInstanceThatCannotBeReachedIsNotPickedUntilItIsDialledAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(flaky)
		p := f.pool(t)
		f.set(true)
		if have := f.pick(t, p, 20); have != 2 {
			t.Errorf("want 2 calls until it is found out, have %d", have)
		}
		<-time.After(time.Minute)
		if have := f.pick(t, p, 20); have != 0 {
			t.Errorf("want no calls of one that is down, have %d", have)
		}
		if f.dials < 10 || f.dials > 30 {
			t.Errorf("want a dial every few seconds, have %d in a minute", f.dials)
		}
		f.set(false)
		<-time.After(5 * time.Second)
		if have := f.pick(t, p, 20); have != 10 {
			t.Errorf("want half of the calls of one that is back, have %d of 20", have)
		}
		f.events = slices.Compact(f.events)
		if want := []lb.EventKind{lb.Connected, lb.Lost, lb.DialFailed, lb.Connected}; !slices.Equal(
			slices.DeleteFunc(f.events, func(k lb.EventKind) bool { return k == lb.Closed }), want) {
			t.Errorf("want the events %v, have %v", want, f.events)
		}
	})
}

func TestDialsThatFindNothingOutAreRepeatedWithGrowingDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{lazy: true, down: true}
		p := f.pool(t)
		toA := 0
		for range 600 { // in a minute
			toA += f.pick(t, p, 4)
			<-time.After(100 * time.Millisecond)
		}
		if f.dials < 5 || f.dials > 30 || toA > 2*f.dials {
			t.Errorf("want few dials with two calls each, have %d with %d", f.dials, toA)
		}
		f.set(false)
		<-time.After(5 * time.Second)
		if have := f.pick(t, p, 20); have != 10 {
			t.Errorf("want half of the calls of one that is back, have %d of 20", have)
		}
	})
}

// With many callers there are always calls in flight, which say nothing yet.
func TestDialsThatFindNothingOutAreFewWithManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{lazy: true, down: true}
		p := f.pool(t)
		var open []func(error)
		for range 6000 { // in a minute
			client, done, err := p.Pick(t.Context())
			switch {
			case err != nil:
				t.Fatal(err)
			case client == "a":
				open = append(open, done)
			default:
				done(nil)
			}
			if len(open) > 3 {
				open[0](errRefused)
				open = open[1:]
			}
			<-time.After(10 * time.Millisecond)
		}
		for _, done := range open {
			done(errRefused)
		}
		if f.dials < 5 || f.dials > 30 {
			t.Errorf("want few dials, have %d", f.dials)
		}
	})
}

func TestACallThatFailsAfterItWasSentLosesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(flaky)
		p := f.pool(t)
		for range 8 {
			_, done, err := p.Pick(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done(errBroken)
		}
		synctest.Wait()
		if f.dials != 1 {
			t.Errorf("want one dial, have %d", f.dials)
		}
	})
}

func TestADialOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	set, err := sd.NewStaticAddresses("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lb.New("quarry", set, lb.ByAddress[int](nil)); err == nil {
		t.Error("want an error")
	}
}
