package lb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestTheErrorWithoutAnInstanceSaysWhy(t *testing.T) {
	t.Parallel()
	down := errors.New("no leader")
	for want, prepare := range map[string]func(y *yard){
		"no instance of quarry is known yet": func(y *yard) { y.fail(down) },
		"there is no instance of quarry":     func(y *yard) { y.set(); y.fail(down) },
		"no instance of quarry can be reached": func(y *yard) {
			y.dial = func(context.Context, sd.Instance) error { return down }
			y.names("a", "b")
		},
		"the pool of quarry is closed": func(y *yard) {
			y.shut = func(*stone) error { return down }
			y.names("a")
			if err := y.pool.Close(); !errors.Is(err, down) {
				y.t.Errorf("want %v, have %v", down, err)
			}
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil)
				prepare(y)
				_, done, err := y.pool.Pick(t.Context())
				e := status.As(err)
				if e == nil || done != nil {
					t.Fatalf("want a status, have %v", err)
				}
				if e.Code != status.Unavailable || e.Message != want || e.Reason != lb.ReasonNoInstance {
					t.Errorf("want Unavailable, %q, have %v, %q, %q", want, e.Code, e.Message, e.Reason)
				}
				cause := down
				if strings.Contains(want, "closed") {
					cause = lb.ErrClosed
				}
				if !errors.Is(err, transport.ErrNotSent) || !errors.Is(err, cause) {
					t.Errorf("want ErrNotSent and %v in it, have %v", cause, err)
				}
			})
		})
	}
}

func TestTheErrorFollowsTheRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("no leader")
		y := openYard(t, nil)
		y.set()
		for range 2 {
			y.fail(down)
			if _, _, err := y.pool.Pick(t.Context()); !errors.Is(err, down) {
				t.Errorf("want %v in it, have %v", down, err)
			}
			y.set()
			if _, _, err := y.pool.Pick(t.Context()); errors.Is(err, down) {
				t.Errorf("want no more of %v, have %v", down, err)
			}
		}
	})
}

// It takes less than a millisecond: there is nothing that could take time.
func TestWithoutAnInstanceACallFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, func(y *yard) { y.dial = hang })
		y.names("a")
		began := time.Now()
		for range 1000 {
			if _, _, err := y.pool.Pick(t.Context()); err == nil {
				t.Fatal("want an error")
			}
		}
		if have := time.Since(began); have != 0 {
			t.Errorf("want it at once, have it after %v", have)
		}
	})
}

func TestWaitReady(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		happens func(y *yard)
		want    status.Code
		is      error
		after   time.Duration
	}{
		"an instance comes": {func(y *yard) { y.set(); y.names("a") }, status.OK, nil, time.Second},
		"a deadline":        {func(y *yard) { y.fail(errHung) }, status.DeadlineExceeded, context.DeadlineExceeded, time.Minute},
		"Close meanwhile":   {func(y *yard) { _ = y.pool.Close() }, status.Unavailable, lb.ErrClosed, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				y := openYard(t, nil, lb.PoolWaitReady())
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				var calls sync.WaitGroup
				for range 10 {
					calls.Go(func() {
						_, done, err := y.pool.Pick(ctx)
						if status.CodeOf(err) != row.want || !errors.Is(err, row.is) {
							t.Errorf("want %v, %v, have %v", row.want, row.is, err)
						}
						if err != nil && (status.As(err).Reason != lb.ReasonNoInstance || !errors.Is(err, transport.ErrNotSent)) {
							t.Errorf("want reason and ErrNotSent, have %v", err)
						}
						if want, have := row.after, time.Since(began); want != have {
							t.Errorf("want an answer after %v, have it after %v", want, have)
						}
						if err == nil {
							done(nil)
						}
					})
				}
				time.Sleep(time.Second)
				row.happens(y)
				calls.Wait()
			})
		})
	}
}

func TestWaitReadyHeedsTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolWaitReady())
		why := errors.New("the user has left")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, _, err := y.pool.Pick(ctx)
		if status.CodeOf(err) != status.Canceled || !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
			t.Errorf("want Canceled and its cause, have %v", err)
		}
	})
}

func TestARegistryThatHangsDelaysNoCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a")
		free := make(chan struct{})
		y.news <- func(func([]sd.Instance, error) bool) bool {
			<-free
			return true
		}
		began := time.Now()
		y.calls(100, nil)
		if have := time.Since(began); have != 0 {
			t.Errorf("want no delay, have %v", have)
		}
		close(free)
	})
}

func TestDoneCalledTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil, lb.PoolEjectAfter(2))
		y.names("a", "b")
		_, other := y.beginAt("a")
		_, done := y.beginAt("a")
		done(errBroken)
		done(errBroken)
		done(nil)
		if s := y.pool.Instances()[0]; s.InFlight != 1 || s.Failed != 1 {
			t.Errorf("want one call in flight and one that failed, have %+v", s)
		}
		y.wantStates("a ready", "b ready")
		other(nil)
		for range 1000 { // at the same time
			s, done := y.begin()
			var both sync.WaitGroup
			both.Go(func() { done(nil) })
			both.Go(func() { done(nil) })
			both.Wait()
			for _, i := range y.pool.Instances() {
				if i.InFlight != 0 {
					t.Fatalf("want no calls in flight at %v, have %d", s.instance, i.InFlight)
				}
			}
		}
	})
}

// What was done is done too early, but nothing breaks: neither does an instance count fewer than no calls nor refuse them for ever.
func TestDoneCalledTwiceWithAnotherCallBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := openYard(t, nil)
		y.names("a")
		for range 1000 {
			_, done := y.begin()
			done(nil)
			_, other := y.begin()
			done(nil)
			other(nil)
		}
		if have := y.pool.Instances()[0].InFlight; have != 0 {
			t.Errorf("want no calls in flight, have %d", have)
		}
		a, _ := y.begin()
		y.names("b")
		if a.closed.Load() != 0 {
			t.Error("it was closed with a call in flight")
		}
	})
}
