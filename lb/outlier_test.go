package lb_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
)

// failingAt makes the calls at some instances fail.
func failingAt(ids ...string) func(id string) error {
	return func(id string) error {
		if slices.Contains(ids, id) {
			return errBroken
		}
		return nil
	}
}

func TestFailuresInARowEject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b", "c")
		y.calls(12, failingAt("b"))
		synctest.Wait()
		y.wantStates("a ready", "b ready", "c ready")
		y.calls(3, failingAt("b"))
		synctest.Wait()
		y.wantStates("a ready", "b out", "c ready")
		if have := y.calls(100, nil); have["b"] != 0 || have["a"] != 50 {
			t.Errorf("want no calls at b, and as many at a and c, have %v", have)
		}
		y.wantTold("connected a", "connected b", "connected c", "ejected b")
		time.Sleep(lb.DefaultEjectFirst)
		synctest.Wait()
		y.wantTold("returned b")
		if have := y.calls(30, nil); have["b"] != 10 {
			t.Errorf("want calls at b again, have %v", have)
		}
	})
}

func TestWhichErrorsEject(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		between error // after each four that failed
		want    string
	}{
		"a success between":      {nil, "b ready"},
		"an answer between":      {status.New(status.NotFound, "none"), "b ready"},
		"a caller that gives up": {context.Canceled, "b out"},
		"too little time":        {errHasty, "b out"},
		"one more failure":       {status.New(status.DeadlineExceeded, "late"), "b out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil)
				y.names("a", "b")
				for range 2 {
					for range 4 {
						_, done := y.beginAt("b")
						done(errBroken)
					}
					_, done := y.beginAt("b")
					done(row.between)
				}
				synctest.Wait()
				y.wantStates("a ready", row.want)
			})
		})
	}
}

func TestPoolFailureSaysWhatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := status.New(status.NotFound, "none")
		y := openYard(t, nil, lb.PoolFailure(func(err error) bool { return status.CodeOf(err) == status.NotFound }), lb.PoolEjectAfter(3))
		y.names("a", "b")
		y.calls(20, failingAt("a"))
		synctest.Wait()
		y.wantStates("a ready", "b ready")
		y.calls(10, func(id string) error { return map[string]error{"b": bad}[id] })
		synctest.Wait()
		y.wantStates("a ready", "b out")
	})
}

func TestHowLongAnInstanceIsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectTime(time.Second, 10*time.Second))
		y.names("a", "b")
		out := func(want time.Duration) {
			t.Helper()
			y.calls(10, failingAt("b"))
			synctest.Wait()
			y.wantStates("a ready", "b out")
			time.Sleep(want - 1)
			synctest.Wait()
			y.wantStates("a ready", "b out")
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			y.wantStates("a ready", "b ready")
		}
		for _, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
			out(want * time.Second)
		}
		time.Sleep(10 * time.Second)
		out(10 * time.Second)
		time.Sleep(10*time.Second + 1) // well for longer than the limit
		out(time.Second)
		out(2 * time.Second)
	})
}

// Being dialled again does not make an instance that was out one that never was.
func TestAnInstanceThatIsLostKeepsHowOftenItWasOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectTime(time.Second, time.Minute))
		y.names("a", "b")
		y.calls(10, failingAt("b"))
		synctest.Wait()
		y.wantStates("a ready", "b out")
		time.Sleep(time.Second)
		synctest.Wait()
		y.calls(4, func(id string) error { return map[string]error{"b": errRefused}[id] })
		time.Sleep(time.Second) // until it is dialled
		synctest.Wait()
		y.wantStates("a ready", "b ready")
		if want, have := 2, y.dialled("b"); want != have {
			t.Errorf("want %d dials of b, which was lost, have %d", want, have)
		}
		y.calls(10, failingAt("b"))
		time.Sleep(2*time.Second - 1)
		synctest.Wait()
		y.wantStates("a ready", "b out")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		y.wantStates("a ready", "b ready")
	})
}

// Neither what doubles nor what is added to the time may overflow.
func TestTimesThatAreForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const ever = time.Duration(math.MaxInt64)
		y := openYard(t, nil, lb.PoolEjectTime(time.Second, ever), lb.PoolEjectRate(0), lb.PoolDrain(ever), lb.PoolSlowStart(ever),
			lb.PoolDialTimeout(ever))
		y.names("a", "b")
		for i := range 25 {
			y.calls(20, failingAt("b"))
			synctest.Wait()
			y.wantStates("a ready", "b out")
			time.Sleep(time.Second << i)
			synctest.Wait()
			y.wantStates("a ready", "b ready")
		}
		a, done := y.beginAt("a")
		y.names("b")
		time.Sleep(1000 * time.Hour)
		if a.closed.Load() != 0 {
			t.Error("it was closed with a call in flight")
		}
		done(nil)
	})
}

func TestHowManyMayBeOut(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		names []string
		opts  []lb.PoolOption
		want  int
	}{
		"one of one":       {[]string{"a"}, nil, 0},
		"one of two":       {[]string{"a", "b"}, nil, 1},
		"two of five":      {[]string{"a", "b", "c", "d", "e"}, nil, 2},
		"ten hundredths":   {[]string{"a", "b", "c", "d", "e"}, []lb.PoolOption{lb.PoolMaxEjected(0.1)}, 1},
		"none":             {[]string{"a", "b", "c", "d", "e"}, []lb.PoolOption{lb.PoolMaxEjected(0)}, 0},
		"all":              {[]string{"a", "b", "c", "d", "e"}, []lb.PoolOption{lb.PoolMaxEjected(1), lb.PoolPanic(0)}, 5},
		"never":            {[]string{"a", "b", "c", "d", "e"}, []lb.PoolOption{lb.PoolEjectAfter(0)}, 0},
		"after four times": {[]string{"a", "b", "c", "d", "e"}, []lb.PoolOption{lb.PoolEjectAfter(1 << 40)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, row.opts...)
				y.names(row.names...)
				for range 200 {
					if _, done, err := y.pool.Pick(t.Context()); err == nil {
						done(errBroken)
					}
					synctest.Wait()
				}
				have := 0
				for _, s := range y.pool.Instances() {
					if s.State == lb.Out {
						have++
					}
				}
				if row.want != have {
					t.Errorf("want %d out, have %d", row.want, have)
				}
				if _, _, err := y.pool.Pick(t.Context()); (err != nil) != (have == len(row.names)) {
					t.Errorf("with %d of %d out: %v", have, len(row.names), err)
				}
			})
		})
	}
}

// One that may not be ejected now may be when there is room.
func TestAnInstanceThatGoesOnFailingIsEjectedWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		y.calls(10, failingAt("a", "b"))
		synctest.Wait()
		y.names("a", "b", "c", "d")
		for range 20 {
			y.calls(10, failingAt("a", "b"))
			synctest.Wait()
		}
		y.wantStates("a out", "b out", "c ready", "d ready")
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectAfter(1))
		y.names("a", "b", "c", "d")
		y.calls(4, failingAt("a", "b"))
		synctest.Wait()
		y.wantStates("a out", "b out", "c ready", "d ready")
		if have := y.calls(40, nil); have["c"] != 20 || have["d"] != 20 {
			t.Errorf("want all calls at c and d, have %v", have)
		}
		y.names("a", "b", "c") // of three one is left
		if have := y.calls(30, nil); have["a"] != 10 || have["b"] != 10 || have["c"] != 10 {
			t.Errorf("want the calls at all, have %v", have)
		}
		y.names("a", "c")
		if have := y.calls(30, nil); have["c"] != 30 {
			t.Errorf("want all calls at c, have %v", have)
		}
	})
}

// What leaves while it is out makes room for others, and comes back as what it is: another.
func TestAnEjectedInstanceLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectAfter(1))
		y.names("a", "b")
		y.calls(2, failingAt("b"))
		synctest.Wait()
		y.wantStates("a ready", "b out")
		y.names("a")
		y.names("a", "c")
		y.calls(2, failingAt("c"))
		synctest.Wait()
		y.wantStates("a ready", "c out")
		y.names("a", "b", "c")
		y.wantStates("a ready", "b ready", "c out")
		y.told()
		time.Sleep(time.Minute)
		synctest.Wait()
		y.wantTold("returned c")
	})
}

func TestARateThatIsFarBelowTheOthersEjects(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		nodes, calls int
		bad          int // of ten calls at the first, how many fail
		others       int // of a hundred calls at the others
		opts         []lb.PoolOption
		want         bool
	}{
		"four of ten":         {6, 200, 4, 0, nil, true},
		"among some failures": {6, 200, 4, 3, nil, true},
		"four nodes":          {4, 200, 4, 0, nil, false},
		"few calls":           {6, 90, 4, 0, nil, false},
		"switched off":        {6, 200, 4, 0, []lb.PoolOption{lb.PoolEjectRate(0)}, false},
		"all alike":           {6, 200, 3, 30, nil, false},
		"hardly any":          {6, 200, 0, 1, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, append(row.opts, lb.PoolEjectAfter(0))...)
				y.set(instances(row.nodes)...)
				made := make(map[string]int)
				y.calls(row.nodes*row.calls, func(id string) error {
					made[id]++
					bad, of := row.others, 100
					if id == "00000000" {
						bad, of = row.bad, 10
					}
					if id == "00000001" && row.others == 1 { // a single failure of one
						bad, of = 1, row.calls
					}
					if row.others == 1 && id != "00000001" {
						bad = 0
					}
					if made[id]%of < bad {
						return errBroken
					}
					return nil
				})
				time.Sleep(10 * time.Second)
				synctest.Wait()
				out := 0
				for _, s := range y.pool.Instances() {
					if s.State == lb.Out {
						out++
					}
				}
				first := y.pool.Instances()[0].State == lb.Out
				if row.want != first || out > 1 {
					t.Errorf("want the first out: %v, have it %v, and %d in all", row.want, first, out)
				}
			})
		})
	}
}

// Of several the rate takes out those that are worst, where not all of them may be out.
func TestTheRateEjectsTheWorst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectAfter(0), lb.PoolEjectRate(0.5), lb.PoolMaxEjected(0.2))
		y.set(instances(10)...)
		y.told()
		bad, made := map[string]int{"00000001": 3, "00000004": 6, "00000007": 4}, make(map[string]int) // of ten calls
		y.calls(10*200, func(id string) error {
			made[id]++
			if made[id]%10 < bad[id] {
				return errBroken
			}
			return nil
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		y.wantTold("ejected 00000004", "ejected 00000007")
	})
}

func TestIsFailure(t *testing.T) {
	t.Parallel()
	for code, want := range map[status.Code]bool{
		status.Unavailable: true, status.Internal: true, status.Unknown: true, status.DataLoss: true, status.DeadlineExceeded: true,
		status.Canceled: false, status.NotFound: false, status.ResourceExhausted: false, status.InvalidArgument: false,
	} {
		if have := lb.IsFailure(status.New(code, "x")); want != have {
			t.Errorf("%v: want %v, have %v", code, want, have)
		}
	}
	if lb.IsFailure(nil) || !lb.IsFailure(errHung) || lb.IsFailure(context.Canceled) || lb.IsFailure(errHasty) {
		t.Error("want an error that is no status to be one, and no error, cancellation or lack of time not")
	}
}
