package circuitbreaker_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
)

// survives makes calls while told panics at each change: the panic goes on, no place is held, and the breaker closes when it is well again.
func survives(t *testing.T, breakers *circuitbreaker.Breakers, shape func(f func(context.Context) error) func(context.Context) error) (panicked int) {
	t.Helper()
	down := true
	call := shape(func(context.Context) error {
		if down {
			return errFails
		}
		return nil
	})
	try := func() {
		p, ok := errors.AsType[*endpoint.PanicError](call(t.Context()))
		if ok && p.Value != "a callback" {
			t.Errorf("want the panic of the callback, have %v", p.Value)
		}
		if ok {
			panicked++
		}
	}
	for range 10 {
		try()
	}
	<-time.After(2 * time.Minute)
	try() // half open
	down = false
	for range 10 {
		<-time.After(2 * time.Minute)
		try()
	}
	if have := breakers.Status()[0]; have.State != circuitbreaker.Closed {
		t.Errorf("want it closed when all is well, have %+v", have)
	}
	runtime.KeepAlive(call)
	return panicked
}

// The places of gobreaker are few when it is half open, so that one that is lost keeps all calls out.
func TestACallbackThatPanicsHoldsNothing(t *testing.T) {
	t.Parallel()
	policies := policies()
	policies["two places"] = circuitbreaker.PolicyFunc(sonybreaker.New(gobreaker.Settings{MaxRequests: 2}).Breaker)
	for name, policy := range policies {
		for kind, shape := range map[string]func(mw endpoint.Middleware) func(f func(context.Context) error) func(context.Context) error{
			"unary": func(mw endpoint.Middleware) func(f func(context.Context) error) func(context.Context) error {
				return func(f func(context.Context) error) func(context.Context) error { return serves(t, readSpec, mw, f) }
			},
			"stream": func(mw endpoint.Middleware) func(f func(context.Context) error) func(context.Context) error {
				return func(f func(context.Context) error) func(context.Context) error {
					return streams(watchSpec, mw, func(ctx context.Context, _ iter.Seq2[string, error], _ func(string) error) error { return f(ctx) })
				}
			},
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var all []circuitbreaker.Change
					breakers := newBreakers(t, policy,
						circuitbreaker.OnChange(func(circuitbreaker.Change) {
							if len(all) < 2 { // and not when Status is asked below
								panic("a callback")
							}
						}),
						circuitbreaker.OnChange(func(c circuitbreaker.Change) { all = append(all, c) }))
					panicked := survives(t, breakers, shape(endpoint.Chain(endpoint.Recover(), breakers.Middleware)))
					if panicked == 0 {
						t.Error("want it to panic")
					}
					state := circuitbreaker.Closed
					for _, c := range all {
						if c.From != state {
							t.Fatalf("want the other callback told all, have %v", all)
						}
						state = c.To
					}
					if state != circuitbreaker.Closed || len(all) < 2 {
						t.Errorf("want the other callback told all, have %v", all)
					}
				})
			})
		}
	}
}

func TestARefusalThatPanicsIsCountedAndHoldsNothing(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		told := 0
		breakers := newBreakers(t, policy,
			circuitbreaker.OnRefusal(func(context.Context, circuitbreaker.ID) { panic("a callback") }),
			circuitbreaker.OnRefusal(func(context.Context, circuitbreaker.ID) { told++ }))
		call := serves(t, readSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware), always(errFails))
		panicked := 0
		for range 10 {
			if _, ok := errors.AsType[*endpoint.PanicError](call(t.Context())); ok {
				panicked++
			}
		}
		if s := breakers.Status()[0]; panicked != 4 || told != 4 || s.Refused != 4 {
			t.Errorf("%s: want 4 refusals that panic, tell the other, and count, have %d, %d and %+v", name, panicked, told, s)
		}
		runtime.KeepAlive(call)
	}
}

// Failure is asked when the call has ended: that a place is held must end all the same.
func TestAFunctionOfFailureOrKeyThatPanicsHoldsNothing(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				breakers := newBreakers(t, policy,
					circuitbreaker.Failure(func(error) bool { panic("a callback") }),
					circuitbreaker.Key(func(context.Context, any) string {
						if asked++; asked%2 == 0 {
							panic("a callback")
						}
						return "one"
					}))
				if panicked := survives(t, breakers, func(f func(context.Context) error) func(context.Context) error {
					call := serves(t, readSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware), f)
					return func(ctx context.Context) error { _ = call(ctx); return call(ctx) }
				}); panicked == 0 {
					t.Error("want it to panic")
				}
			})
		})
	}
}

// It is told at once, though no call follows.
func TestWhatAPanicChangesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		told := 0
		breakers := newBreakers(t, policy, circuitbreaker.OnChange(func(circuitbreaker.Change) { told++ }))
		call := serves(t, readSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware), func(context.Context) error { panic("a defect") })
		for range 6 {
			_ = call(t.Context())
		}
		if name != "adaptive" && told != 1 { // which opens when the next one comes
			t.Errorf("%s: want a change told, have %d", name, told)
		}
	}
}

// Those that the breaker itself calls, with a lock held, leave neither that nor half a change.
func TestAFunctionOfThePolicyThatPanicsHidesNoChange(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]circuitbreaker.Policy{
		"adaptive":  circuitbreaker.Adaptive(circuitbreaker.AdaptiveChanges(func(circuitbreaker.State, circuitbreaker.State) { panic("a callback") })),
		"gobreaker": sonybreaker.New(gobreaker.Settings{OnStateChange: func(string, gobreaker.State, gobreaker.State) { panic("a callback") }}),
		"two steps": circuitbreaker.PolicyFunc(sonybreaker.New(gobreaker.Settings{
			OnStateChange: func(string, gobreaker.State, gobreaker.State) { panic("a callback") },
		}).Breaker),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				told := []circuitbreaker.State{}
				breakers := newBreakers(t, policy, circuitbreaker.OnChange(func(c circuitbreaker.Change) { told = append(told, c.To) }))
				if panicked := survives(t, breakers, func(f func(context.Context) error) func(context.Context) error {
					return serves(t, readSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware), f)
				}); panicked == 0 {
					t.Error("want it to panic")
				}
				if len(told) < 2 || told[len(told)-1] != circuitbreaker.Closed {
					t.Errorf("want all changes told, have %v", told)
				}
			})
		})
	}
}
