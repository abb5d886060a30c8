package lb_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// wait ends after so long, or with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return status.From(ctx.Err())
	}
}

const taught = 256 // calls after which the endpoint knows how long they take

// hedged returns an endpoint over five hosts that has learned that calls take usual, and from then on does what serve says.
func hedgedEndpoint(
	t testing.TB, usual time.Duration, serve func(ctx context.Context, h *host, n int) (int, error), opts ...lb.EndpointOption,
) (call endpoint.Endpoint[int, int], f *fleet, p *lb.Pool[*host]) {
	t.Helper()
	f = &fleet{serve: func(ctx context.Context, _ *host, request int) (int, error) { return request, pause(ctx, usual) }}
	p = fleetPool(t, f, []string{"a", "b", "c", "d", "e"}, lb.PoolRetryBudget(1, 100))
	call = fleetEndpoint(t, readSpec, p, append([]lb.EndpointOption{lb.EndpointHedge(0.95, 1)}, opts...)...)
	for range taught {
		if _, err := call(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	var n atomic.Int64
	f.serve = func(ctx context.Context, h *host, _ int) (int, error) { return serve(ctx, h, int(n.Add(1))) }
	f.calls, f.at, f.start = nil, nil, time.Now()
	return call, f, p
}

// slowFirst is a service whose first attempt hangs.
func slowFirst(ctx context.Context, _ *host, n int) (int, error) {
	if n == 1 {
		return 0, pause(ctx, time.Hour)
	}
	return n, pause(ctx, time.Millisecond)
}

// within says whether d is want, or a sixteenth more, as exact as the histogram is.
func about(d, want time.Duration) bool { return d >= want && d <= want*17/16 }

func TestAHedgeAnswersForAnAttemptThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		call, f, p := hedgedEndpoint(t, 10*time.Millisecond, slowFirst)
		n, err := call(t.Context(), 1)
		if took := time.Since(f.start); n != 2 || err != nil || !about(took-time.Millisecond, 10*time.Millisecond) {
			t.Errorf("want the second answer after some 11 ms, have %d and %v after %v", n, err, took)
		}
		if f.calls[0] == f.calls[1] {
			t.Errorf("want another instance, have %v", f.calls)
		}
		if n := fleetInFlight(p); n != 0 {
			t.Errorf("want no calls in flight, have %d", n)
		}
		for _, i := range p.Instances() {
			if i.Failed != 0 {
				t.Errorf("want nothing against %v, have %d", i.Instance, i.Failed)
			}
		}
		if have := p.Budget().Retries; have != 1 {
			t.Errorf("want one hedge of the budget, have %d", have)
		}
	})
}

func TestThereIsNoHedge(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, _ *host, request int) (int, error) { return request, pause(ctx, time.Second) }
	quick := func(_ context.Context, _ *host, request int) (int, error) { return request, nil }
	for name, row := range map[string]struct {
		names  []string
		before int
		budget lb.PoolOption
	}{
		"before enough is known":   {[]string{"a", "b"}, taught - 1, lb.PoolRetryBudget(1, 100)},
		"without another instance": {[]string{"a"}, taught, lb.PoolRetryBudget(1, 100)},
		"when the budget is spent": {[]string{"a", "b"}, taught, lb.PoolRetryBudget(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fleet{serve: quick}
				call := fleetEndpoint(t, readSpec, fleetPool(t, f, row.names, row.budget), lb.EndpointHedge(0.95, 1))
				for range row.before {
					_, _ = call(t.Context(), 1)
				}
				f.serve = slow
				_, err := call(t.Context(), 1)
				if have := len(f.calls) - row.before; have != 1 || err != nil {
					t.Errorf("want one attempt, have %d and %v", have, err)
				}
			})
		})
	}
}

func TestHedgesBeginAfterThePercentile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for percentile, want := range map[float64]time.Duration{0.5: 50, 0.9: 90, 0.95: 95, 0.99: 99} {
			n := 0
			f := &fleet{serve: func(ctx context.Context, _ *host, request int) (int, error) {
				n++
				return request, pause(ctx, time.Duration(n%100+1)*time.Millisecond) // a hundredth each takes 1, 2 ... 100 ms
			}}
			p := fleetPool(t, f, []string{"a", "b"}, lb.PoolRetryBudget(0, 0)) // which refuses hedges, so that each call tells how long it takes
			call := fleetEndpoint(t, readSpec, p, lb.EndpointHedge(percentile, 1))
			for range 1100 {
				_, _ = call(t.Context(), 1)
			}
			f.serve = func(ctx context.Context, _ *host, request int) (int, error) { return request, pause(ctx, time.Second) }
			before, start := p.Budget().Refused, time.Now()
			done := make(chan error)
			go func() {
				_, err := call(t.Context(), 1)
				done <- err
			}()
			for p.Budget().Refused == before && time.Since(start) < time.Second {
				<-time.After(time.Millisecond / 4)
			}
			if have := time.Since(start) - time.Millisecond/4; !about(have, want*time.Millisecond) {
				t.Errorf("%v: want a hedge after %d ms, have %v", percentile, want, have)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestHedgesFollowWhatCallsTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		usual := 10 * time.Millisecond
		call, f, _ := hedgedEndpoint(t, usual, nil)
		hedgedAfter := func() time.Duration {
			var n atomic.Int64
			f.serve = func(ctx context.Context, h *host, _ int) (int, error) { return slowFirst(ctx, h, int(n.Add(1))) }
			start := time.Now()
			_, _ = call(t.Context(), 1)
			return time.Since(start) - time.Millisecond
		}
		if have := hedgedAfter(); !about(have, usual) {
			t.Errorf("want %v, have %v", usual, have)
		}
		for _, row := range []struct {
			usual time.Duration
			calls int
		}{{100 * time.Millisecond, 640}, {time.Millisecond, 8192}} {
			f.serve = func(ctx context.Context, _ *host, _ int) (int, error) { return 1, pause(ctx, row.usual) }
			for range row.calls {
				_, _ = call(t.Context(), 1)
			}
			if have := hedgedAfter(); !about(have, row.usual) {
				t.Errorf("after %d calls: want %v, have %v", row.calls, row.usual, have)
			}
		}
		for range 8192 {
			f.serve = func(context.Context, *host, int) (int, error) { return 1, nil }
			_, _ = call(t.Context(), 1)
		}
		if have := hedgedAfter(); have != lb.DefaultHedgeDelay {
			t.Errorf("want not less than %v, have %v", lb.DefaultHedgeDelay, have)
		}
	})
}

// One of fifty calls takes fifty times as long, by chance.
func TestHedgesMakeTheSlowestCallsShorter(t *testing.T) {
	t.Parallel()
	const calls = 5000
	p99 := func(t *testing.T, opts ...lb.EndpointOption) (p99 time.Duration, load float64) {
		t.Helper()
		random := rand.New(rand.NewPCG(1, 2)) // the same each time
		f := &fleet{serve: func(ctx context.Context, h *host, request int) (int, error) {
			h.fleet.mu.Lock()
			slow := random.Float64() < 0.02
			d := time.Duration(8+4*random.Float64()) * time.Millisecond
			h.fleet.mu.Unlock()
			if slow {
				d *= 50
			}
			return request, pause(ctx, d)
		}}
		call := fleetEndpoint(t, readSpec, fleetPool(t, f, []string{"a", "b", "c"}), opts...)
		all := make([]time.Duration, calls)
		for i := range all {
			start := time.Now()
			if _, err := call(t.Context(), 1); err != nil {
				t.Error(err)
			}
			all[i] = time.Since(start)
		}
		slices.Sort(all)
		return all[calls*99/100], float64(len(f.calls)) / calls
	}
	synctest.Test(t, func(t *testing.T) {
		without, _ := p99(t)
		with, load := p99(t, lb.EndpointHedge(lb.DefaultHedgePercentile, 1))
		t.Logf("99 %% of calls in %v without hedges, in %v with, at %.3f times the load", without, with, load)
		if with > without/10 || load > 1.06 {
			t.Errorf("want a tenth of %v at 1.06 times the load, have %v at %.3f times", without, with, load)
		}
	})
}

func TestHowARaceEnds(t *testing.T) {
	t.Parallel()
	none := status.New(status.NotFound, "none")
	answer := func(after time.Duration, n int, err error) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			if ended := pause(ctx, after*time.Millisecond); ended != nil {
				return 0, ended
			}
			return n, err
		}
	}
	for name, row := range map[string]struct {
		attempts []func(context.Context) (int, error) // a hedge begins after 10 ms
		want     int
		err      error
		latest   time.Duration // in milliseconds
	}{
		"the first wins":                            {[]func(context.Context) (int, error){answer(15, 1, nil), answer(50, 2, nil)}, 1, nil, 15},
		"the hedge wins":                            {[]func(context.Context) (int, error){answer(50, 1, nil), answer(15, 2, nil)}, 2, nil, 27},
		"the first fails, and the hedge answers":    {[]func(context.Context) (int, error){answer(15, 0, errBroken), answer(30, 2, nil)}, 2, nil, 42},
		"the hedge fails, and the first answers":    {[]func(context.Context) (int, error){answer(50, 1, nil), answer(5, 0, errBroken)}, 1, nil, 50},
		"both fail, and there is a third":           {[]func(context.Context) (int, error){answer(15, 0, errBroken), answer(15, 0, errBroken), answer(1, 3, nil)}, 3, nil, 130},
		"the first says no":                         {[]func(context.Context) (int, error){answer(15, 0, none), answer(50, 2, nil)}, 0, none, 15},
		"the hedge says no":                         {[]func(context.Context) (int, error){answer(50, 1, nil), answer(5, 0, none)}, 0, none, 17},
		"the first fails before a hedge, and waits": {[]func(context.Context) (int, error){answer(5, 0, errBroken), answer(1, 2, nil)}, 2, nil, 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				call, f, p := hedgedEndpoint(t, 10*time.Millisecond, func(ctx context.Context, _ *host, n int) (int, error) { return row.attempts[n-1](ctx) })
				n, err := call(t.Context(), 1)
				if took := time.Since(f.start); n != row.want || !errors.Is(err, row.err) || (err == nil) != (row.err == nil) || took > row.latest*time.Millisecond {
					t.Errorf("want %d and %v after %d ms, have %d and %v after %v", row.want, row.err, row.latest, n, err, took)
				}
				if errors.Is(err, context.Canceled) {
					t.Errorf("want nothing of what was given up, have %v", err)
				}
				if n := fleetInFlight(p); n != 0 {
					t.Errorf("want no calls in flight, have %d", n)
				}
			})
		})
	}
}

func TestHedgesAreAttempts(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context, _ *host, _ int) (int, error) { return 0, pause(ctx, time.Minute) }
	synctest.Test(t, func(t *testing.T) {
		for want, opts := range map[int][]lb.EndpointOption{
			2: {lb.EndpointHedge(0.95, 1)},
			3: {lb.EndpointHedge(0.95, 2)},
		} {
			call, f, _ := hedgedEndpoint(t, 10*time.Millisecond, hang, append(opts, lb.EndpointRetryAttempts(5))...)
			if _, err := call(t.Context(), 1); err != nil || len(f.calls) != want {
				t.Errorf("want %d attempts, have %v and %v", want, f.calls, err)
			}
		}
		call, f, _ := hedgedEndpoint(t, 10*time.Millisecond, func(ctx context.Context, h *host, n int) (int, error) {
			if n == 1 {
				return 0, errRefused
			}
			return hang(ctx, h, n)
		}, lb.EndpointHedge(0.95, 2))
		if _, err := call(t.Context(), 1); err != nil || len(f.calls) != 3 {
			t.Errorf("want 3 attempts, have %v and %v", f.calls, err)
		}
		call, f, p := hedgedEndpoint(t, 10*time.Millisecond, hang, lb.EndpointRetryAttempts(2))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := call(ctx, 1)
		if took := time.Since(f.start); status.CodeOf(err) != status.Canceled || took != time.Second || fleetInFlight(p) != 0 {
			t.Errorf("want canceled after a second, have %v after %v", err, took)
		}
	})
}

// A panic of a hedge would end the process, since nobody else can recover on its goroutine.
func TestAPanicInARace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		call, _, p := hedgedEndpoint(t, 10*time.Millisecond, func(ctx context.Context, h *host, n int) (int, error) {
			if n == 2 {
				panic("own")
			}
			return slowFirst(ctx, h, n)
		})
		_, err := call(t.Context(), 1)
		if e, ok := errors.AsType[*endpoint.PanicError](err); !ok || e.Value != "own" || fleetInFlight(p) != 0 {
			t.Errorf("want the panic, have %v", err)
		}
		call, _, p = hedgedEndpoint(t, 10*time.Millisecond, func(ctx context.Context, _ *host, n int) (int, error) {
			if n == 1 {
				_ = pause(ctx, 20*time.Millisecond)
				panic("own")
			}
			return 0, pause(ctx, time.Hour)
		})
		start := time.Now()
		defer func() {
			if have, took := recover(), time.Since(start); have != "own" || took != 20*time.Millisecond || fleetInFlight(p) != 0 {
				t.Errorf("want the panic of the first, and the end of the hedge, have %v after %v", have, took)
			}
		}()
		_, _ = call(t.Context(), 1)
	})
}

func TestWhoObservesAHedgedCallIsToldOfTheOneThatCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		call, f, _ := hedgedEndpoint(t, 10*time.Millisecond, func(ctx context.Context, h *host, n int) (int, error) {
			n, err := slowFirst(ctx, h, n)
			transport.Report(ctx, transport.Info{Peer: h.name}) // the one that is cancelled does so last
			return n, err
		})
		ctx, observer := transport.Observe(t.Context())
		if n, err := call(ctx, 1); err != nil || n != 2 {
			t.Fatalf("want the answer of the hedge, have %d and %v", n, err)
		}
		if want, have := f.calls[1], observer.Info().Peer; want != have {
			t.Errorf("want %s, which answered, have %q", want, have)
		}
	})
}
