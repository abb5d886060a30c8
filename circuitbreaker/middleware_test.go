package circuitbreaker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestARefusedCallIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			breakers := newBreakers(t, policy)
			for _, spec := range []endpoint.Spec{readSpec.Client(), readSpec.Server()} {
				call := serves(t, spec, breakers.Middleware, always(errFails))
				if have := openedBy(t.Context(), call); have != 6 {
					t.Errorf("%v: want the seventh refused, have %d let through", spec.Side, have)
				}
				err := call(t.Context())
				e := status.As(err)
				if e == nil || e.Code != status.Unavailable || e.Reason != circuitbreaker.ReasonOpen || e.RetryAfter <= 0 {
					t.Fatalf("%v: want unavailable, %s, and a time to wait, have %v", spec.Side, circuitbreaker.ReasonOpen, err)
				}
				if strings.Contains(e.Message, "breaker") || !strings.Contains(e.Message, "quarry/Read") {
					t.Errorf("%v: want a message that callers understand, have %q", spec.Side, e.Message)
				}
				if want, have := spec.Side == endpoint.Client, errors.Is(err, transport.ErrWithheld); want != have {
					t.Errorf("%v: want ErrWithheld: %v, have %v", spec.Side, want, err)
				}
				if _, ok := errors.AsType[*circuitbreaker.OpenError](err); !ok {
					t.Errorf("%v: want an *OpenError in the cause, have %v", spec.Side, err)
				}
			}
		})
	}
}

// Kratos's middleware dereferences what only a client has.
func TestMiddlewareWorksOnAServerWithATransportAndWithout(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		header := transport.HeaderMap{}
		call := serves(t, readSpec, newBreakers(t, policy).Middleware, always(errFails))
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "nats", Operation: readSpec.Operation(), Response: header})
		for range 6 {
			if err := call(ctx); refused(err) {
				t.Fatalf("%s: want it let through, have %v", name, err)
			}
		}
		if len(header) != 0 {
			t.Errorf("%s: want no header of a call that was made, have %v", name, header)
		}
		empty, _ := transport.NewServerContext(t.Context(), transport.Info{})
		for _, ctx := range []context.Context{t.Context(), empty, ctx} {
			if err := call(ctx); !refused(err) {
				t.Errorf("%s: want it refused, have %v", name, err)
			}
		}
		if header.Get(transport.NotBegunHeader) != "true" {
			t.Errorf("%s: want the answer to say that the call was not begun, have %v", name, header)
		}
	}
}

func TestWhatTheCallerCanceledDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for what, call := range map[string]func(context.Context) error{
			"canceled while it goes on": serves(t, readSpec, breakers.Middleware, func(ctx context.Context) error {
				sub, cancel := context.WithCancel(ctx)
				cancel()
				return status.From(sub.Err())
			}),
			"canceled, told as a failure": func(context.Context) error {
				ctx, cancel := context.WithCancel(t.Context())
				return serves(t, readSpec, breakers.Middleware, func(context.Context) error { cancel(); return errFails })(ctx)
			},
			"ended before": func(context.Context) error {
				return serves(t, readSpec.Client(), breakers.Middleware, func(context.Context) error {
					t.Error("want no call whose context has ended")
					return nil
				})(ended)
			},
		} {
			for range 50 {
				if err := call(t.Context()); err == nil || refused(err) {
					t.Fatalf("%s, %s: want its own error, have %v", name, what, err)
				}
			}
		}
		for _, s := range breakers.Status() {
			if s.Failures != 0 || s.Successes != 0 || s.State != circuitbreaker.Closed {
				t.Errorf("%s: want nothing counted, have %+v", name, s)
			}
		}
		late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancelLate()
		if err := serves(t, readSpec.Client(), breakers.Middleware, always(nil))(late); status.CodeOf(err) != status.DeadlineExceeded || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want the deadline exceeded, and not sent, have %v", name, err)
		}
	}
}

func TestAPanicCountsGoesOnAndLeaksNothing(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				breakers := newBreakers(t, policy)
				panics := func(context.Context) error { panicsDeepWithin(); return nil }
				call := serves(t, readSpec, endpoint.Chain(endpoint.Recover(), breakers.Middleware), panics)
				for range 6 {
					p, ok := errors.AsType[*endpoint.PanicError](call(t.Context()))
					if !ok || p.Value != "a defect" {
						t.Fatalf("want the panic, have %v", p)
					}
					if !strings.Contains(string(p.Stack), "panicsDeepWithin") {
						t.Errorf("want the stack to say where it was, have\n%s", p.Stack)
					}
				}
				if err := call(t.Context()); !refused(err) {
					t.Errorf("want it open after six panics, have %v", err)
				}
				// Half open a leak of the one that is let through would keep all others out.
				for range 5 {
					<-time.After(2 * time.Minute)
					if _, ok := errors.AsType[*endpoint.PanicError](call(t.Context())); !ok {
						t.Error("want a call let through after a while, each time")
					}
				}
			})
		})
	}
}

func panicsDeepWithin() { panic("a defect") }

func TestGoexitCountsGoesOnAndLeaksNothing(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				breakers := newBreakers(t, policy)
				call := serves(t, readSpec, breakers.Middleware, func(context.Context) error { runtime.Goexit(); return nil })
				let := func() (through bool) {
					var group sync.WaitGroup
					group.Go(func() {
						through = true
						err := call(t.Context())
						through = false
						if !refused(err) {
							t.Errorf("want the goroutine ended, have %v", err)
						}
					})
					group.Wait()
					return through
				}
				for range 6 {
					if !let() {
						t.Fatal("want it let through")
					}
				}
				if let() {
					t.Error("want it open after six")
				}
				for range 5 {
					<-time.After(2 * time.Minute)
					if !let() {
						t.Error("want a call let through after a while, each time")
					}
				}
			})
		})
	}
}

func TestWhichErrorsAreFailures(t *testing.T) {
	t.Parallel()
	failures := []status.Code{status.Unavailable, status.Internal, status.Unknown, status.DataLoss, status.DeadlineExceeded}
	for code := status.Canceled; code <= status.Unauthenticated; code++ {
		err := status.New(code, "own")
		want := circuitbreaker.Codes(failures...)(err)
		if have := circuitbreaker.IsFailure(err); want != have {
			t.Errorf("%v: want %v, have %v", code, want, have)
		}
		for name, policy := range policies() {
			if have := openedBy(t.Context(), serves(t, readSpec, newBreakers(t, policy).Middleware, always(err))); want != (have == 6) {
				t.Errorf("%s, %v: want it to open: %v, have %d let through", name, code, want, have)
			}
		}
	}
	if !circuitbreaker.IsFailure(errors.New("own")) || circuitbreaker.IsFailure(nil) {
		t.Error("want an error that is no status to be a failure, and none not to be")
	}
	full := circuitbreaker.Failure(circuitbreaker.Codes(status.ResourceExhausted))
	for name, policy := range policies() {
		call := serves(t, readSpec, newBreakers(t, policy, full).Middleware, always(status.New(status.ResourceExhausted, "full")))
		if have := openedBy(t.Context(), call); have != 6 {
			t.Errorf("%s: want it to open for what was set, have %d let through", name, have)
		}
		call = serves(t, readSpec, newBreakers(t, policy, full).Middleware, always(errFails))
		if have := openedBy(t.Context(), call); have != -1 {
			t.Errorf("%s: want it not to open for what was not set, have %d let through", name, have)
		}
		recovered := endpoint.Chain(endpoint.Recover(), newBreakers(t, policy, full).Middleware)
		if have := openedBy(t.Context(), serves(t, readSpec, recovered, func(context.Context) error { panic("a defect") })); have != 6 {
			t.Errorf("%s: want it to open for panics, whatever was set, have %d let through", name, have)
		}
	}
}

// What another breaker or a limiter of the process kept back says nothing of the service: the outer breaker stays closed, and so does that of a
// server whose endpoint calls a service in vain.
func TestABreakerDoesNotOpenSinceAnotherIsOpen(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		inner, outer := newBreakers(t, alwaysOpen()), newBreakers(t, policy)
		through := serves(t, readSpec.Client(), inner.Middleware, always(nil))
		call := serves(t, writeSpec, outer.Middleware, func(ctx context.Context) error {
			return fmt.Errorf("reading: %w", through(ctx))
		})
		for range 1000 {
			_ = call(t.Context())
		}
		if s := outer.Status()[0]; s.State != circuitbreaker.Closed || s.Refused != 0 || s.Failures != 0 {
			t.Errorf("%s: want the outer one closed, have %+v", name, s)
		}
		if s := inner.Status()[0]; s.Refused != 1000 || s.State != circuitbreaker.Closed {
			t.Errorf("%s: want the refusals of one that reports nothing counted, have %+v", name, s)
		}
		runtime.KeepAlive(call) // which through is part of
	}
}

func TestWhatAClientCouldNotSendCountsOnlyWhereTheServiceCouldNotBeReached(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		for code, counts := range map[status.Code]bool{
			status.Unavailable: true, status.DeadlineExceeded: true, status.Internal: false, status.ResourceExhausted: false,
		} {
			err := status.New(code, "own").WithCause(transport.ErrNotSent)
			breakers := newBreakers(t, policy)
			call := serves(t, readSpec.Client(), breakers.Middleware, always(err))
			for range 3 {
				_ = call(t.Context())
			}
			s := breakers.Status()[0]
			if want := map[bool]uint64{true: 3}[counts]; s.Failures != want || s.Successes != 0 {
				t.Errorf("%s, %v: want %d failures and no success, have %+v", name, code, want, s)
			}
			runtime.KeepAlive(call)
			servers := newBreakers(t, policy)
			server := serves(t, readSpec, servers.Middleware, always(err)) // whose own call it was
			_ = server(t.Context())
			if s := servers.Status()[0]; code == status.Internal && s.Failures != 1 {
				t.Errorf("%s: want the failure of a server counted, have %+v", name, s)
			}
			runtime.KeepAlive(server)
		}
	}
}

// A caller with little time must not close an operation to those who have enough, whether it is refused here or by the server.
func TestWhatHadTooLittleTimeSaysNothing(t *testing.T) {
	t.Parallel()
	hasty := status.New(status.DeadlineExceeded, "too little time").WithReason(deadline.ReasonUnreachable)
	timesOut := circuitbreaker.Failure(circuitbreaker.Codes(status.DeadlineExceeded))
	for name, policy := range policies() {
		for _, opts := range [][]circuitbreaker.Option{nil, {timesOut}} {
			for _, spec := range []endpoint.Spec{readSpec, readSpec.Client()} {
				breakers := newBreakers(t, policy, opts...)
				call := serves(t, spec, breakers.Middleware, always(hasty))
				for range 50 {
					if err := call(t.Context()); !errors.Is(err, hasty) {
						t.Fatalf("%s, %v: want its own error, have %v", name, spec, err)
					}
				}
				if s := breakers.Status()[0]; s.Failures != 0 || s.Successes != 0 {
					t.Errorf("%s, %v: want nothing counted, have %+v", name, spec, s)
				}
				runtime.KeepAlive(call)
			}
		}
	}
	if circuitbreaker.IsFailure(hasty) || !circuitbreaker.IsFailure(status.New(status.Internal, "own").WithReason(deadline.ReasonUnreachable)) {
		t.Error("want it to be no failure, unless it is another code")
	}
}

// What an endpoint calls inside of its process may be refused when the endpoint has begun: its client must not be told the opposite, since it
// would make the call again.
func TestOnlyTheCallThatIsServedWasNotBegun(t *testing.T) {
	t.Parallel()
	for want, spec := range map[string]endpoint.Spec{"true": readSpec, "": writeSpec} {
		call := serves(t, spec, newBreakers(t, alwaysOpen()).Middleware, always(nil))
		header := transport.HeaderMap{}
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "nats", Operation: readSpec.Operation(), Response: header})
		if err := call(ctx); !refused(err) || header.Get(transport.NotBegunHeader) != want {
			t.Errorf("%s: want a refusal and %q, have %v and %v", spec.Method, want, err, header)
		}
	}
}

// The error is kept for the calls that follow, but not longer than it is true.
func TestTheTimeToComeBackFalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := sonybreaker.New(gobreaker.Settings{Timeout: 10 * time.Second})
		call := serves(t, readSpec, newBreakers(t, policy).Middleware, always(errFails))
		openedBy(t.Context(), call)
		for left := 9 * time.Second; left > 0; left -= time.Second {
			<-time.After(time.Second)
			if have := status.As(call(t.Context())).RetryAfter; have < left || have > left+time.Second/5 {
				t.Errorf("want %v until it is tried again, have %v", left, have)
			}
		}
	})
}

// alwaysOpen is a policy whose breakers let no call through, for reasons of their own.
func alwaysOpen() circuitbreaker.Policy {
	return circuitbreaker.PolicyFunc(func(func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) { return shut{}, nil })
}

type shut struct{}

var errShut = errors.New("nobody comes in")

func (shut) Allow() (func(error), error) { return nil, errShut }

func TestAReasonThatIsNoOpenErrorIsTold(t *testing.T) {
	t.Parallel()
	err := serves(t, readSpec, newBreakers(t, alwaysOpen()).Middleware, always(nil))(t.Context())
	if e := status.As(err); !errors.Is(err, errShut) || !errors.Is(err, circuitbreaker.ErrOpen) || e.Reason != circuitbreaker.ReasonOpen || e.RetryAfter != 0 {
		t.Errorf("want its reason, and ErrOpen, have %v", err)
	}
}
