package lb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

func TestWhatHasDepartedGetsNoNewCallsAndDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a", "b")
		a, done := y.beginAt("a")
		_, other := y.beginAt("a")
		y.names("b")
		if have := y.calls(100, nil); have["a"] != 0 {
			t.Errorf("want no calls at a, have %d", have["a"])
		}
		y.wantStates("b ready", "a draining")
		time.Sleep(10 * time.Second)
		other(nil)
		synctest.Wait()
		if a.closed.Load() != 0 {
			t.Error("it was closed with a call in flight")
		}
		done(nil)
		synctest.Wait()
		if want, have := int32(1), a.closed.Load(); want != have {
			t.Errorf("want it closed %d time, have %d", want, have)
		}
		y.wantStates("b ready")
		y.wantTold("connected a", "connected b", "departed a", "closed a")
		time.Sleep(time.Hour)
		if want, have := int32(1), a.closed.Load(); want != have {
			t.Errorf("want it closed %d time, have %d", want, have)
		}
	})
}

func TestCallsThatTakeTooLongAreCut(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]time.Duration{"after a while": 7 * time.Second, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, func(y *yard) { y.shut = func(*stone) error { return errBroken } }, lb.PoolDrain(limit))
				y.names("a", "b") // while the clock of the pool stands at 0
				a, first := y.beginAt("a")
				_, second := y.beginAt("a")
				y.told()
				y.names("b")
				if limit > 0 {
					time.Sleep(limit - 1)
					synctest.Wait()
					if a.closed.Load() != 0 {
						t.Errorf("it was closed before %v", limit)
					}
					time.Sleep(time.Nanosecond)
					synctest.Wait()
				}
				if want, have := int32(1), a.closed.Load(); want != have {
					t.Errorf("want it closed %d time, have %d", want, have)
				}
				last := y.events[len(y.events)-1]
				if last.Kind != lb.Closed || last.InFlight != 2 || !errors.Is(last.Err, errBroken) {
					t.Errorf("want two calls to be cut, and the error of closing, have %+v", last)
				}
				first(errBroken)
				second(errBroken)
				synctest.Wait()
				if want, have := int32(1), a.closed.Load(); want != have {
					t.Errorf("want it closed %d time, have %d", want, have)
				}
			})
		})
	}
}

func TestAClientThatIsSlowToCloseHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		y := openYard(t, func(y *yard) {
			y.shut = func(s *stone) error {
				if s.instance.ID != "c" {
					<-free
				}
				return nil
			}
		})
		y.names("a", "b", "c")
		y.names("c")
		y.wantStates("c ready", "a draining", "b draining")
		y.calls(10, nil)
		y.names("d")
		y.wantStates("d ready", "a draining", "b draining")
		close(free)
		synctest.Wait()
		y.wantStates("d ready")
	})
}

func TestCloseWaitsForCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, func(y *yard) { y.shut = func(s *stone) error { return errors.New("lost " + s.instance.ID) } })
		y.names("a", "b")
		a, done := y.beginAt("a")
		b, _ := y.beginAt("b") // which never ends
		var closing sync.WaitGroup
		began := time.Now()
		for range 3 { // at the same time
			closing.Go(func() {
				err := y.pool.Close()
				want := "lb: close the client of b@b:80: lost b\nlb: close the client of a@a:80: lost a"
				other := "lb: close the client of a@a:80: lost a\nlb: close the client of b@b:80: lost b"
				if err == nil || err.Error() != want && err.Error() != other {
					t.Errorf("want %q, have %v", want, err)
				}
				if want, have := lb.DefaultDrain, time.Since(began); want != have {
					t.Errorf("want Close to take %v, have %v", want, have)
				}
			})
		}
		synctest.Wait()
		if _, _, err := y.pool.Pick(t.Context()); !errors.Is(err, lb.ErrClosed) {
			t.Errorf("want %v, have %v", lb.ErrClosed, err)
		}
		if a.closed.Load() != 0 {
			t.Error("a client was closed with a call in flight")
		}
		time.Sleep(time.Second)
		done(nil)
		synctest.Wait()
		if a.closed.Load() != 1 || b.closed.Load() != 0 {
			t.Error("want the one closed whose call has ended, and not the other")
		}
		closing.Wait()
		if b.closed.Load() != 1 {
			t.Error("want the other closed, too")
		}
		if err := y.pool.Close(); err == nil {
			t.Error("want the same errors of a later Close")
		}
		if have := y.pool.Instances(); len(have) != 0 {
			t.Errorf("want nothing to be left, have %v", have)
		}
	})
}

func TestCloseOfAPoolThatHasNothingYet(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(y *yard){
		"before the first set": func(*yard) {},
		"an empty set":         func(y *yard) { y.set() },
		"dials that hang":      func(y *yard) { y.names("a", "b") },
		"dials that fail": func(y *yard) {
			y.dial = func(context.Context, sd.Instance) error { return errHung }
			y.names("a", "b")
		},
		"a registry that fails": func(y *yard) { y.fail(errBroken) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, func(y *yard) { y.dial = hang })
				prepare(y)
				began := time.Now()
				if err := errors.Join(y.pool.Close(), y.pool.Close()); err != nil || time.Since(began) != 0 {
					t.Errorf("want Close to return at once, have %v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// What is said of a client that comes when the pool has been told to close is not lost.
func TestTheErrorOfALateClientIsInThatOfClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, func(y *yard) {
			y.dial = func(context.Context, sd.Instance) error {
				time.Sleep(time.Second)
				return nil
			}
			y.shut = func(*stone) error {
				time.Sleep(time.Second)
				return errBroken
			}
		})
		y.names("a")
		began := time.Now()
		if err := y.pool.Close(); !errors.Is(err, errBroken) || time.Since(began) != 2*time.Second {
			t.Errorf("want %v after 2 s, have %v after %v", errBroken, err, time.Since(began))
		}
		y.wantTold("closed a")
	})
}

// What went wrong before is told by events, and not kept for Close.
func TestTheErrorsOfCloseAreItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, func(y *yard) { y.shut = func(*stone) error { return errBroken } })
		y.names("a")
		y.names()
		if err := y.pool.Close(); err != nil {
			t.Errorf("want no error of an instance that had departed before, have %v", err)
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		if last := y.events[len(y.events)-1]; last.Kind != lb.Closed || !errors.Is(last.Err, errBroken) {
			t.Errorf("want the event to tell of it, have %+v", last)
		}
	})
}
