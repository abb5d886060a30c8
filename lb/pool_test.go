package lb_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

func TestMistakesInAPool(t *testing.T) {
	t.Parallel()
	static, err := sd.NewStaticAddresses("a:80")
	if err != nil {
		t.Fatal(err)
	}
	dial := func(context.Context, sd.Instance) (int, error) { return 0, nil }
	for want, open := range map[string]func() (*lb.Pool[int], error){
		"the name of the service is empty": func() (*lb.Pool[int], error) { return lb.New("", static, dial) },
		"the Instancer is nil":             func() (*lb.Pool[int], error) { return lb.New("quarry", nil, dial) },
		"Dial is nil":                      func() (*lb.Pool[int], error) { return lb.New[int]("quarry", static, nil) },
		"function 0 is nil":                func() (*lb.Pool[int], error) { return lb.New("quarry", static, dial, nil) },
	} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	for want, opt := range map[string]lb.PoolOption{
		"PoolPolicy: the policy is nil":                           lb.PoolPolicy(nil),
		"PoolDialTimeout(0s): want more than 0":                   lb.PoolDialTimeout(0),
		"PoolDrain(-1ns): want 0 or more":                         lb.PoolDrain(-1),
		"PoolSlowStart(-1s): want more than 0":                    lb.PoolSlowStart(-time.Second),
		`PoolZone("", 1): want a zone, and 1 or more`:             lb.PoolZone("", 1),
		`PoolZone("a", 0): want a zone, and 1 or more`:            lb.PoolZone("a", 0),
		`PoolSubset(0, "x"): want 1 or more, and a name`:          lb.PoolSubset(0, "x"),
		`PoolSubset(3, ""): want 1 or more, and a name`:           lb.PoolSubset(3, ""),
		"PoolEjectAfter(-1): want 0 or more":                      lb.PoolEjectAfter(-1),
		"PoolEjectRate(-0.5): want 0 or more":                     lb.PoolEjectRate(-0.5),
		"PoolEjectRate(NaN): want 0 or more":                      lb.PoolEjectRate(math.NaN()),
		"PoolEjectTime(0s, 1s): want more than 0, and as much or": lb.PoolEjectTime(0, time.Second),
		"PoolEjectTime(2s, 1s): want more than 0, and as much or": lb.PoolEjectTime(2*time.Second, time.Second),
		"PoolMaxEjected(1.5): want 0 to 1":                        lb.PoolMaxEjected(1.5),
		"PoolMaxEjected(NaN): want 0 to 1":                        lb.PoolMaxEjected(math.NaN()),
		"PoolPanic(-1): want 0 to 1":                              lb.PoolPanic(-1),
		"PoolFailure: the function is nil":                        lb.PoolFailure(nil),
		"PoolEvents: the function is nil":                         lb.PoolEvents(nil),
	} {
		if _, err := lb.New("quarry", static, dial, opt); err == nil || !strings.HasPrefix(err.Error(), "lb: pool of quarry: "+want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestByAddress(t *testing.T) {
	t.Parallel()
	dial := lb.ByAddress(func(_ context.Context, address string) (string, error) { return "to " + address, nil })
	if client, err := dial(t.Context(), sd.Instance{ID: "x", Address: "[::1]:80"}); client != "to [::1]:80" || err != nil {
		t.Errorf("want the address, have %q, %v", client, err)
	}
}

func TestAPoolTellsWhatHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, only("bad", func(context.Context, sd.Instance) error { return errHung }), lb.PoolEjectAfter(1))
		var second []lb.EventKind
		twice := openYard(t, nil, lb.PoolEvents(func(e lb.Event) { second = append(second, e.Kind) }))
		twice.names("a")
		twice.wantTold("connected a")
		if len(second) != 1 || second[0] != lb.Connected {
			t.Errorf("want a second function to be told, too, have %v", second)
		}
		y.fail(errBroken)
		y.names("a", "b", "bad")
		y.calls(2, failingAt("b"))
		synctest.Wait()
		y.wantTold("registry failed", "registry back", "connected a", "connected b", "dial failed bad", "ejected b")
		time.Sleep(2 * time.Second)
		y.names("a")
		synctest.Wait()
		for _, e := range y.events {
			if e.Kind == lb.DialFailed && !errors.Is(e.Err, errHung) {
				t.Errorf("want %v, have %v", errHung, e.Err)
			}
		}
		y.told()
		_ = y.pool.Close()
		y.wantTold("closed a") // it has not departed: the pool has ended
	})
}

func TestTheOrderOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		for range 100 {
			y.names("a")
			y.names()
		}
		want := []string{"connected a", "departed a", "closed a"}
		for i, have := range y.told() {
			if want[i%3] != have {
				t.Fatalf("event %d: want %q, have %q", i, want[i%3], have)
			}
		}
	})
}

func TestInstancesOfAPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, only("d", func(context.Context, sd.Instance) error { return errHung }), lb.PoolPolicy(lb.PeakEWMA()), lb.PoolEjectAfter(1))
		y.names("a")
		_, done := y.begin()
		_, slow := y.begin()
		time.Sleep(time.Millisecond)
		slow(nil)
		y.names("b", "c", "d")
		for {
			s, bad := y.begin()
			if s.instance.ID == "b" {
				bad(errBroken)
				break
			}
			bad(nil)
		}
		synctest.Wait()
		have := y.pool.Instances()
		y.wantStates("b out", "c ready", "d connecting", "a draining")
		if have[0].Failed != 1 || !errors.Is(have[2].Err, errHung) || have[3].InFlight != 1 {
			t.Errorf("have %+v", have)
		}
		if have[3].Cost <= 0 || have[3].Cost > time.Millisecond {
			t.Errorf("want a to cost up to a millisecond, have %v", have[3].Cost)
		}
		done(nil)
		if want, have := "quarry", y.pool.Service(); want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	})
}

func TestNamesOfStatesAndEvents(t *testing.T) {
	t.Parallel()
	for have, want := range map[string]string{
		lb.Connecting.String(): "connecting", lb.Ready.String(): "ready", lb.Out.String(): "out", lb.Draining.String(): "draining",
		lb.State(9).String(): "unknown", lb.EventKind(0).String(): "unknown", lb.EventKind(99).String(): "unknown",
		lb.Connected.String(): "connected", lb.RegistryBack.String(): "registry back",
	} {
		if want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}
