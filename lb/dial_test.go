package lb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
)

// only makes the dial of one instance do something else.
func only(id string, dial func(ctx context.Context, i sd.Instance) error) func(y *yard) {
	return func(y *yard) {
		y.dial = func(ctx context.Context, i sd.Instance) error {
			if i.ID == id {
				return dial(ctx, i)
			}
			return nil
		}
	}
}

func TestASlowDialHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, only("slow", func(context.Context, sd.Instance) error {
			time.Sleep(3 * time.Second)
			return nil
		}))
		y.names("a", "slow")
		y.wantStates("a ready", "slow connecting")
		if have := y.calls(10, nil); have["a"] != 10 {
			t.Errorf("want all calls at a, have %v", have)
		}
		y.names("a", "b", "slow")
		y.wantStates("a ready", "b ready", "slow connecting")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if have := y.calls(30, nil); have["slow"] != 10 {
			t.Errorf("want a third of the calls at the slow one, have %v", have)
		}
	})
}

func TestADialEndsWhenTheInstanceLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended error
		y := openYard(t, only("b", func(ctx context.Context, i sd.Instance) error {
			err := hang(ctx, i)
			ended = context.Cause(ctx)
			return err
		}))
		y.names("a", "b")
		began := time.Now()
		y.names("a")
		if want := context.Canceled; !errors.Is(ended, want) || time.Since(began) != 0 {
			t.Errorf("want %v at once, have %v after %v", want, ended, time.Since(began))
		}
		y.wantStates("a ready")
		time.Sleep(time.Hour)
		if want, have := 1, y.dialled("b"); want != have {
			t.Errorf("want %d dial, have %d", want, have)
		}
		y.wantTold("connected a")
	})
}

func TestADialHasATimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		y := openYard(t, only("b", func(ctx context.Context, i sd.Instance) error {
			began := time.Now()
			err := hang(ctx, i)
			took = time.Since(began)
			return err
		}), lb.PoolDialTimeout(700*time.Millisecond))
		y.names("a", "b")
		time.Sleep(701 * time.Millisecond)
		synctest.Wait()
		if want := 700 * time.Millisecond; want != took {
			t.Errorf("want %v, have %v", want, took)
		}
		if s := y.pool.Instances()[1]; s.State != lb.Connecting || !errors.Is(s.Err, errHung) {
			t.Errorf("want it to be connecting with the error of the dial, have %+v", s)
		}
	})
}

func TestAFailedDialIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var at []time.Duration
		var up atomic.Bool
		began := time.Now()
		y := openYard(t, only("b", func(context.Context, sd.Instance) error {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began))
			if up.Load() {
				return nil
			}
			return errHung
		}))
		y.names("a", "b")
		time.Sleep(time.Minute)
		synctest.Wait()
		if have := y.calls(10, nil); have["a"] != 10 {
			t.Errorf("want all calls at a, have %v", have)
		}
		mu.Lock()
		dials := slices.Clone(at)
		mu.Unlock()
		for i := 1; i < len(dials); i++ {
			full := min(100*time.Millisecond<<(i-1), 5*time.Second)
			if wait := dials[i] - dials[i-1]; wait < full/2 || wait > full {
				t.Errorf("dial %d: want it %v to %v after the one before, have %v", i, full/2, full, wait)
			}
		}
		if have := len(dials); have < 15 || have > 35 {
			t.Errorf("want some 20 dials in a minute, have %d", have)
		}
		up.Store(true)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		y.wantStates("a ready", "b ready")
		if have := y.calls(10, nil); have["b"] != 5 {
			t.Errorf("want half of the calls at b, have %v", have)
		}
		if s := y.pool.Instances()[1]; s.Err != nil {
			t.Errorf("want no error of an instance that is ready, have %v", s.Err)
		}
	})
}

// It is not known to the Instancer when the client of a dial that did not heed its context comes.
func TestTheClientOfADialThatIsLateIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, only("b", func(context.Context, sd.Instance) error {
			time.Sleep(time.Second)
			return nil
		}))
		y.names("a", "b")
		y.names("a")
		time.Sleep(time.Second)
		synctest.Wait()
		if s := y.made("b"); len(s) != 1 || s[0].closed.Load() != 1 {
			t.Error("want the client closed")
		}
		y.wantTold("connected a", "closed b")
	})
}

func TestManyHostsThatDoNotAnswerHoldUpNoOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, func(y *yard) {
			y.dial = func(ctx context.Context, i sd.Instance) error {
				if strings.HasPrefix(i.ID, "dead") {
					return hang(ctx, i)
				}
				return nil
			}
		})
		var names []string
		for i := range 1000 {
			names = append(names, fmt.Sprintf("dead%d", i))
		}
		names = append(names, "live")
		slices.Sort(names)
		y.names(names...)
		time.Sleep(1100 * time.Millisecond)
		y.calls(1, nil)
		if want, have := 1, y.dialled("dead999"); want != have {
			t.Errorf("want %d dial of the last, have %d", want, have)
		}
	})
}

func TestNotTooManyDialsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		running, most := 0, 0
		y := openYard(t, func(y *yard) {
			y.dial = func(context.Context, sd.Instance) error {
				y.mu.Lock()
				running++
				most = max(most, running)
				y.mu.Unlock()
				time.Sleep(50 * time.Millisecond)
				y.mu.Lock()
				running--
				y.mu.Unlock()
				return nil
			}
		})
		set := instances(1000)
		y.set(set...)
		time.Sleep(time.Second)
		synctest.Wait()
		if want, have := 100, most; want != have {
			t.Errorf("want %d dials at once, have %d", want, have)
		}
		if have := y.calls(1000, nil); len(have) != len(set) {
			t.Errorf("want all instances called, have %d", len(have))
		}
	})
}
