package circuitbreaker_test

import (
	"context"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
)

type watch = endpoint.Stream[string, string]

func streams(spec endpoint.Spec, mw endpoint.Middleware, s watch) func(ctx context.Context) error {
	call := endpoint.NewStream(spec, s, mw)
	return func(ctx context.Context) error {
		return call(ctx, func(func(string, error) bool) {}, func(string) error { return nil })
	}
}

// sends is a stream that sends a message, goes on for so long, and ends with err.
func sends(after, then time.Duration, err error) watch {
	return func(_ context.Context, _ iter.Seq2[string, error], out func(string) error) error {
		<-time.After(after)
		if err := out("a message"); err != nil {
			return err
		}
		<-time.After(then)
		return err
	}
}

// silent is a stream that sends nothing.
func silent(lasts time.Duration, err error) watch {
	return func(context.Context, iter.Seq2[string, error], func(string) error) error {
		<-time.After(lasts)
		return err
	}
}

func TestAStreamCountsWhenItIsOpenedAndWhenItFailsLater(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		for what, test := range map[string]struct {
			stream    watch
			during    circuitbreaker.Report // 6 s after it began
			good, bad uint64
		}{
			"well":                           {sends(0, 10*time.Second, nil), circuitbreaker.Report{Successes: 1}, 1, 0},
			"fails later":                    {sends(0, 10*time.Second, errFails), circuitbreaker.Report{Successes: 1}, 1, 1},
			"fails at once":                  {silent(0, errFails), circuitbreaker.Report{Failures: 1}, 0, 1},
			"ends at once":                   {silent(0, nil), circuitbreaker.Report{Successes: 1}, 1, 0},
			"sends nothing for long":         {silent(10*time.Second, nil), circuitbreaker.Report{Successes: 1}, 1, 0},
			"sends nothing, and fails later": {silent(10*time.Second, errFails), circuitbreaker.Report{Successes: 1}, 1, 1},
			"fails before it counts as open": {silent(4*time.Second, errFails), circuitbreaker.Report{Failures: 1}, 0, 1},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					policy := policy
					if name == "adaptive" {
						policy = circuitbreaker.Adaptive(circuitbreaker.AdaptiveWindow(time.Minute))
					}
					breakers := newBreakers(t, policy)
					call := streams(watchSpec, breakers.Middleware, test.stream)
					var group sync.WaitGroup
					group.Go(func() { _ = call(t.Context()) })
					<-time.After(6 * time.Second)
					if have := breakers.Status()[0].Report; test.during != have {
						t.Errorf("want %+v after 6 s, have %+v", test.during, have)
					}
					group.Wait()
					have := breakers.Status()[0].Report
					if test.good != have.Successes || test.bad != have.Failures {
						t.Errorf("want %d successes and %d failures at the end, have %+v", test.good, test.bad, have)
					}
					runtime.KeepAlive(call)
				})
			})
		}
	}
}

func TestStreamsAreRefusedWhenTheyAreOpened(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy)
		began := 0
		call := streams(watchSpec.Client(), breakers.Middleware, func(context.Context, iter.Seq2[string, error], func(string) error) error {
			began++
			return errFails
		})
		if have := openedBy(t.Context(), call); have != 6 || began != 6 {
			t.Errorf("%s: want the seventh refused, and not begun, have %d let through and %d begun", name, have, began)
		}
	}
}

func TestALongStreamKeepsNoOtherFromBeingTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		breakers := newBreakers(t, sonybreaker.New(gobreaker.Settings{Timeout: time.Second, MaxRequests: 2}))
		down := true
		call := streams(watchSpec, breakers.Middleware, func(ctx context.Context, in iter.Seq2[string, error], out func(string) error) error {
			if down {
				return errFails
			}
			return sends(0, time.Hour, nil)(ctx, in, out)
		})
		openedBy(t.Context(), call)
		<-time.After(2 * time.Second)
		down = false
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if err := call(t.Context()); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if have := breakers.Status()[0].State; have != circuitbreaker.Closed {
			t.Errorf("want it closed while the streams last that were opened well, have %v", have)
		}
		group.Wait()
		runtime.KeepAlive(call)
	})
}

func TestAPanicOfAStreamCountsAndLeaksNothing(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		for what, ends := range map[string]func(){"panic": panicsDeepWithin, "Goexit": runtime.Goexit} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					breakers := newBreakers(t, policy)
					call := streams(watchSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware),
						func(context.Context, iter.Seq2[string, error], func(string) error) error { ends(); return nil })
					for range 3 {
						for range 6 {
							var group sync.WaitGroup
							group.Go(func() {
								if err := call(t.Context()); !refused(err) && !strings.Contains(err.Error(), "a defect") {
									t.Errorf("want the panic, have %v", err)
								}
							})
							group.Wait()
						}
						if s := breakers.Status()[0]; s.State == circuitbreaker.Closed && s.Failures != 6 {
							t.Errorf("want six failures, or it open, have %+v", s)
						}
						<-time.After(2 * time.Minute)
					}
					runtime.KeepAlive(call)
				})
			})
		}
	}
}

func TestAStreamThatItsCallerEndsDoesNotCountAsAFailure(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy)
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			_ = streams(watchSpec, breakers.Middleware, func(ctx context.Context, _ iter.Seq2[string, error], out func(string) error) error {
				if err := out("a message"); err != nil {
					return err
				}
				cancel()
				return ctx.Err()
			})(ctx)
		}
		for _, s := range breakers.Status() {
			if s.Failures != 0 {
				t.Errorf("%s: want no failures, have %+v", name, s)
			}
		}
	}
}

// No later call is needed for it to be told.
func TestWhatAStreamChangesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for what, stream := range map[string]watch{"fails at once": silent(0, errFails), "fails later": sends(0, time.Second, errFails)} {
		synctest.Test(t, func(t *testing.T) {
			told := 0
			policy := sonybreaker.New(gobreaker.Settings{ReadyToTrip: func(c gobreaker.Counts) bool { return c.TotalFailures == 1 }})
			breakers := newBreakers(t, policy, circuitbreaker.OnChange(func(circuitbreaker.Change) { told++ }))
			_ = streams(watchSpec, breakers.Middleware, stream)(t.Context())
			if told != 1 {
				t.Errorf("%s: want a change told, have %d", what, told)
			}
		})
	}
}
