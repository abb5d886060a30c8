package deadline_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

var spec = endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}

// operation is one that takes a while, and fails with err.
type operation struct {
	takes time.Duration
	err   error
	calls int
}

func (o *operation) call(context.Context, any) (any, error) {
	o.calls++
	<-time.After(o.takes)
	return nil, o.err
}

// guarded is an operation with a guard around it, in a bubble.
type guarded struct {
	*operation

	t     *testing.T
	guard *deadline.Guard
	do    endpoint.Handler
}

func newGuarded(t *testing.T, spec endpoint.Spec, takes time.Duration, opts ...deadline.GuardOption) *guarded {
	t.Helper()
	g, err := deadline.NewGuard(opts...)
	if err != nil {
		t.Fatal(err)
	}
	o := &operation{takes: takes}
	return &guarded{operation: o, t: t, guard: g, do: g.Middleware(spec, o.call)}
}

// within calls with so much time, 0 for no deadline.
func (g *guarded) within(limit time.Duration) error {
	ctx := g.t.Context()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	_, err := g.do(ctx, nil)
	return err
}

// learn makes so many calls that succeed.
func (g *guarded) learn(calls int) {
	g.t.Helper()
	for range calls {
		if err := g.within(0); err != nil {
			g.t.Fatal(err)
		}
	}
}

// want checks what comes of a call with so much time.
func (g *guarded) want(refused bool, limit time.Duration) {
	g.t.Helper()
	calls, start := g.calls, time.Now()
	err := g.within(limit)
	if have := status.As(err) != nil && status.As(err).Reason == deadline.ReasonUnreachable; have != refused {
		g.t.Errorf("with %v: want refused %t, have %v", limit, refused, err)
	}
	if refused && (g.calls != calls || time.Since(start) != 0 || status.CodeOf(err) != status.DeadlineExceeded) {
		g.t.Errorf("with %v: want it refused at once, without a call, have %v after %v and %d calls", limit, err, time.Since(start), g.calls-calls)
	}
}

func TestTooLittleTimeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, 50*time.Microsecond)
		g.learn(deadline.DefaultGuardSamples)
		g.takes = time.Millisecond
		g.learn(3)
		g.want(true, 50*time.Microsecond-1)
		g.want(false, 50*time.Microsecond)
		g.want(false, 0)
		want := deadline.GuardStatus{Operation: "orders/Place", Minimum: 50 * time.Microsecond, Refused: 1}
		if have := g.guard.Status(); !slices.Equal(have, []deadline.GuardStatus{want}) {
			t.Errorf("want %+v, have %+v", want, have)
		}
	})
}

func TestNothingIsRefusedBeforeThereAreSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, time.Second, deadline.GuardSamples(4))
		for range 4 {
			g.want(false, time.Millisecond) // it succeeds, though late
		}
		g.want(true, time.Millisecond)
	})
}

func TestADeadlineThatHasPassedIsRefusedWithoutSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, time.Second)
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		_, err := g.do(ctx, nil)
		if !errors.Is(err, context.DeadlineExceeded) || status.As(err).Reason != deadline.ReasonUnreachable || g.calls != 0 {
			t.Errorf("want a refusal without a call, have %v", err)
		}
		if have := g.guard.Status()[0]; have.Expired != 1 || have.Refused != 0 {
			t.Errorf("want it counted as passed, have %+v", have)
		}
	})
}

func TestACallerWhoHasGivenUpIsToldSo(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{spec, spec.Client()} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuarded(t, spec, time.Second, deadline.GuardSamples(1))
			g.learn(1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			cancel()
			if _, err := g.do(ctx, nil); status.CodeOf(err) != status.Canceled || errors.Is(err, transport.ErrNotSent) != (spec.Side == endpoint.Client) {
				t.Errorf("%v: want canceled, have %v", spec.Side, err)
			}
		})
	}
}

func TestOnlyClientsSayThatNothingWasSent(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{spec, spec.Client()} {
		synctest.Test(t, func(t *testing.T) {
			g := newGuarded(t, spec, time.Second, deadline.GuardSamples(1))
			g.learn(1)
			if want, have := spec.Side == endpoint.Client, errors.Is(g.within(time.Millisecond), transport.ErrNotSent); want != have {
				t.Errorf("%v: want %t, have %t", spec.Side, want, have)
			}
		})
	}
}

func TestWhatEndsEarlyIsNoSample(t *testing.T) {
	t.Parallel()
	for name, quick := range map[string]func(g *guarded){
		"a failure": func(g *guarded) {
			g.err = status.New(status.Unavailable, "down")
			_ = g.within(0)
			g.err = nil
		},
		"the caller's cancellation": func(g *guarded) {
			g.err = context.Canceled
			_ = g.within(0)
			g.err = nil
		},
		"a panic": func(g *guarded) {
			handler := g.guard.Middleware(spec, func(context.Context, any) (any, error) { panic("ouch") })
			defer func() {
				if have := recover(); have != "ouch" {
					g.t.Errorf("want the panic unchanged, have %v", have)
				}
			}()
			_, _ = handler(g.t.Context(), nil)
		},
		"a goroutine that ends": func(g *guarded) {
			handler := g.guard.Middleware(spec, func(context.Context, any) (any, error) { runtime.Goexit(); return "never", nil })
			var group sync.WaitGroup
			group.Go(func() { _, _ = handler(g.t.Context(), nil) })
			group.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGuarded(t, spec, time.Second, deadline.GuardSamples(2))
				g.learn(1)
				g.takes = 0
				quick(g)
				g.takes = time.Second
				g.want(false, time.Millisecond) // it was one sample
				g.learn(1)
				g.want(true, time.Millisecond) // and it was long
			})
		})
	}
}

func TestAnOperationThatBecameSlowerIsKnownAfterAWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, 10*time.Millisecond)
		g.learn(100)
		g.takes = 100 * time.Millisecond
		g.learn(50) // 5 s
		g.want(false, 50*time.Millisecond)
		g.learn(60) // 6 s
		g.want(true, 50*time.Millisecond)
	})
}

func TestAnOperationThatBecameFasterIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, 100*time.Millisecond)
		g.learn(20)
		g.takes = time.Millisecond
		g.want(true, 50*time.Millisecond)
		time.Sleep(deadline.DefaultGuardProbe - 1)
		g.want(true, 50*time.Millisecond)
		time.Sleep(time.Nanosecond)
		g.want(false, 50*time.Millisecond) // to measure
		g.want(false, 50*time.Millisecond)
		if have := g.guard.Status()[0]; have.Probes != 1 || have.Minimum != time.Millisecond {
			t.Errorf("want one probe, which took 1 ms, have %+v", have)
		}
	})
}

func TestOneCallInAWhileGoesThrough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, time.Second, deadline.GuardProbe(time.Second), deadline.GuardWindow(time.Hour))
		g.learn(10)
		g.err = errors.New("so that no sample is added")
		g.takes, g.calls = 0, 0
		for range 1000 {
			_ = g.within(time.Millisecond)
			time.Sleep(10 * time.Millisecond)
		}
		if want, have := 9, g.calls; want != have {
			t.Errorf("want %d calls in 10 s, have %d", want, have)
		}
		if have := g.guard.Status()[0]; have.Refused != 991 || have.Probes != 9 {
			t.Errorf("want all counted, have %+v", have)
		}
	})
}

func TestWithoutCallsEverythingIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec, time.Second, deadline.GuardWindow(30*time.Second))
		g.learn(10)
		g.want(true, time.Millisecond)
		time.Sleep(30 * time.Second)
		g.want(false, time.Millisecond)
		if have := g.guard.Status()[0].Minimum; have != 0 {
			t.Errorf("want no minimum, have %v", have)
		}
	})
}

// The minimum is compared with that of all samples whose tenth of the window is not yet forgotten.
func TestTheMinimumIsThatOfTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const window, samples = 10 * time.Second, 3
		g := newGuarded(t, spec, 0, deadline.GuardWindow(window), deadline.GuardSamples(samples))
		start := time.Now()
		tenth := func() int64 { return int64(time.Since(start) / (window / 10)) }
		type sample struct {
			tenth int64
			took  time.Duration
		}
		var all []sample
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 20_000 {
			pause := time.Duration(random.ExpFloat64() * float64(50*time.Millisecond))
			if i%1000 == 0 {
				pause = time.Duration(random.Int64N(int64(2 * window)))
			}
			time.Sleep(pause)
			g.takes = time.Duration(random.ExpFloat64() * float64(100*time.Millisecond))
			g.learn(1)
			all = append(all, sample{tenth(), g.takes})
			least, n := time.Duration(0), 0
			for _, s := range slices.Backward(all) {
				if s.tenth <= tenth()-10 {
					break
				}
				if n++; n == 1 || s.took < least {
					least = s.took
				}
			}
			if n < samples {
				least = 0
			}
			if have := g.guard.Status()[0].Minimum; have != least {
				t.Fatalf("after %d samples, at %v: want %v, have %v", i+1, time.Since(start), least, have)
			}
		}
	})
}

func TestAllEndpointsOfAnOperationLearnTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(t, spec.Client(), time.Second, deadline.GuardSamples(1))
		g.learn(1)
		g.do = g.guard.Middleware(spec.Client(), g.call) // as that of another instance
		g.want(true, time.Millisecond)
		g.do = g.guard.Middleware(spec, g.call)
		g.want(false, time.Millisecond) // the server's own side
		other := spec.Client()
		other.Method = "Cancel"
		g.do = g.guard.Middleware(other, g.call)
		g.want(false, time.Millisecond)
		var have []string
		for _, s := range g.guard.Status() {
			have = append(have, s.Operation+" "+s.Side.String())
		}
		if want := []string{"orders/Cancel client", "orders/Place server", "orders/Place client"}; !slices.Equal(want, have) {
			t.Errorf("want %q, have %q", want, have)
		}
	})
}

func TestStreamsPassUntouched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, err := deadline.NewAllowance(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		g := newGuarded(t, spec, time.Second, deadline.GuardSamples(1))
		g.learn(1)
		for _, kind := range []endpoint.Kind{endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional} {
			stream := spec
			stream.Kind = kind
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			want, _ := ctx.Deadline()
			handler := endpoint.Chain(a.Middleware, g.guard.Middleware)(stream, func(ctx context.Context, request any) (any, error) {
				if have, _ := ctx.Deadline(); have != want {
					t.Errorf("%v: want the deadline as it is", kind)
				}
				return request, nil
			})
			if _, err := handler(ctx, nil); err != nil {
				t.Errorf("%v: %v", kind, err)
			}
			cancel()
		}
		if have := len(g.guard.Status()); have != 1 {
			t.Errorf("want nothing of streams, have %v", g.guard.Status())
		}
	})
}
