package lb_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestWhichErrorsAreRepeated(t *testing.T) {
	t.Parallel()
	code := func(c status.Code) error { return status.New(c, "own") }
	notSent := func(c status.Code) error { return status.New(c, "own").WithCause(transport.ErrNotSent) }
	later := func(c status.Code) error { return status.New(c, "own").WithRetryAfter(time.Second) }
	full := status.New(status.Unavailable, "full").WithReason("OVERLOADED").WithCause(transport.ErrNotBegun)
	for _, row := range []struct {
		name  string
		err   error
		reads int // attempts of a call that is idempotent
		write int // and of one that is not
		opts  []lb.EndpointOption
	}{
		{"unavailable", code(status.Unavailable), 3, 1, nil},
		{"not sent", notSent(status.Unavailable), 3, 3, nil},
		{"not begun", full, 3, 3, nil},
		{"cut off", status.New(status.Unavailable, "cut off").WithReason("SHUTTING_DOWN"), 3, 1, nil},
		{"no room", code(status.ResourceExhausted), 1, 1, nil},
		{"no room now", later(status.ResourceExhausted), 3, 1, nil},
		{"too large to be sent", notSent(status.ResourceExhausted), 1, 1, nil},
		{"a conflict", later(status.Aborted), 1, 1, nil},
		{"a deadline of the server's", code(status.DeadlineExceeded), 1, 1, nil},
		{"not sent since it cannot be encoded", notSent(status.Internal), 1, 1, nil},
		{"not sent since it was cancelled", notSent(status.Canceled), 1, 1, nil},
		{"no status", errors.New("own"), 1, 1, nil},
		{"not found", code(status.NotFound), 1, 1, nil},
		{"data loss", code(status.DataLoss), 1, 1, nil},
		{"what was asked for", code(status.Aborted), 3, 1, []lb.EndpointOption{lb.EndpointRetryCodes(status.Aborted)}},
		{"what was not asked for", notSent(status.Unavailable), 1, 1, []lb.EndpointOption{lb.EndpointRetryCodes(status.Aborted)}},
		{"nor pushback", later(status.ResourceExhausted), 1, 1, []lb.EndpointOption{lb.EndpointRetryCodes(status.Unavailable)}},
		{"fewer", code(status.Unavailable), 2, 1, []lb.EndpointOption{lb.EndpointRetryAttempts(2)}},
		{"more", code(status.Unavailable), 7, 1, []lb.EndpointOption{lb.EndpointRetryAttempts(7)}},
		{"none", notSent(status.Unavailable), 1, 1, []lb.EndpointOption{lb.EndpointNoRetry()}},
		{"a wait that is too long", later(status.Unavailable), 1, 1, []lb.EndpointOption{lb.EndpointRetryWait(time.Second - 1)}},
		{"a wait that is not", later(status.Unavailable), 3, 1, []lb.EndpointOption{lb.EndpointRetryWait(time.Second)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := script(row.err)
				p := fleetPool(t, f, []string{"a", "b", "c"})
				_, err := fleetEndpoint(t, readSpec, p, row.opts...)(t.Context(), 1)
				reads := len(f.called())
				if reads != row.reads || status.CodeOf(err) != status.CodeOf(row.err) {
					t.Errorf("idempotent: want %d attempts and %v, have %d and %v", row.reads, row.err, reads, err)
				}
				_, err = fleetEndpoint(t, writeSpec, p, row.opts...)(t.Context(), 1)
				if have := len(f.called()) - reads; have != row.write || status.CodeOf(err) != status.CodeOf(row.err) {
					t.Errorf("not idempotent: want %d attempts and %v, have %d and %v", row.write, row.err, have, err)
				}
				if n := fleetInFlight(p); n != 0 {
					t.Errorf("want no calls in flight, have %d", n)
				}
			})
		})
	}
}

func TestTheNextAttemptIsElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, names := range [][]string{{"a", "b", "c"}, {"a", "b"}, {"a"}} {
			f := script(errBroken, errBroken, nil)
			call := fleetEndpoint(t, readSpec, fleetPool(t, f, names))
			if n, err := call(t.Context(), 7); n != 7 || err != nil {
				t.Errorf("%v: want 7, have %d and %v", names, n, err)
			}
			called := f.called()
			slices.Sort(called)
			if have := len(slices.Compact(called)); have != len(names) {
				t.Errorf("want attempts at all of %v, have %v", names, f.called())
			}
		}
	})
}

// gaps runs a call whose attempts all fail, and returns the times between them.
func gaps(t *testing.T, err error, names []string, opts ...lb.EndpointOption) (gaps []time.Duration) {
	t.Helper()
	f := script(err)
	p := fleetPool(t, f, names, lb.PoolRetryBudget(1, 1000))
	_, _ = fleetEndpoint(t, readSpec, p, opts...)(t.Context(), 1)
	times := f.times()
	for i := range times[1:] {
		gaps = append(gaps, times[i+1]-times[i])
	}
	return gaps
}

func TestTheWaitsGrowAndAreRandom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds = 200
		most := []time.Duration{10, 20, 40, 70, 70}
		longest := make([]time.Duration, len(most))
		sum := time.Duration(0)
		for range rounds {
			have := gaps(t, errBroken, []string{"a"}, lb.EndpointRetryAttempts(6), lb.EndpointRetryBackoff(10*time.Millisecond, 70*time.Millisecond))
			for i, gap := range have {
				if gap > most[i]*time.Millisecond {
					t.Errorf("wait %d: want at most %d ms, have %v", i, most[i], gap)
				}
				longest[i] = max(longest[i], gap)
			}
			sum += have[4]
		}
		for i, have := range longest {
			if want := most[i] * time.Millisecond * 9 / 10; have < want {
				t.Errorf("wait %d: want the longest of %d to be more than %v, have %v", i, rounds, want, have)
			}
		}
		if mean := sum / rounds; mean < 28*time.Millisecond || mean > 42*time.Millisecond {
			t.Errorf("want 35 ms on the average, half of the limit, have %v", mean)
		}
	})
}

// Neither what is drawn from a backoff nor what is added to it may overflow.
func TestWaitsThatAreForEver(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"a backoff": errBroken, "what the server says besides": errBroken.WithRetryAfter(math.MaxInt64 - 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := script(err)
				call := fleetEndpoint(t, readSpec, fleetPool(t, f, []string{"a"}),
					lb.EndpointRetryBackoff(math.MaxInt64, math.MaxInt64), lb.EndpointRetryWait(math.MaxInt64))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, have := call(ctx, 1); !errors.Is(have, err) || len(f.called()) != 1 {
					t.Errorf("want one attempt and its error, have %d and %v", len(f.called()), have)
				}
			})
		})
	}
}

func TestTheFirstAttemptElsewhereNeedNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wide := lb.EndpointRetryBackoff(time.Hour, time.Hour) // so that a wait of nothing is no chance
		ctx := []string{"a", "b"}
		if have := gaps(t, errRefused, ctx, wide); have[0] != 0 || have[1] == 0 {
			t.Errorf("want no wait and then one, have %v", have)
		}
		if have := gaps(t, errRefused, []string{"a"}, wide); have[0] == 0 {
			t.Error("want a wait where there is no other instance")
		}
		if have := gaps(t, errBroken, ctx, wide); have[0] == 0 {
			t.Error("want a wait after a call that may have begun")
		}
		if have := gaps(t, errRefused.WithRetryAfter(time.Second), ctx, wide); have[0] < time.Second {
			t.Errorf("want a second that the server asked for, have %v", have[0])
		}
	})
}

func TestTheServerSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var longest time.Duration
		for range 20 {
			have := gaps(t, errBroken.WithRetryAfter(3*time.Second), []string{"a", "b"})
			if len(have) != lb.DefaultAttempts-1 {
				t.Errorf("want no more attempts for that, have %d", len(have)+1)
			}
			for _, gap := range have {
				if gap < 3*time.Second || gap > 3*time.Second+lb.DefaultMaxBackoff {
					t.Errorf("want 3 s and a little, have %v", gap)
				}
				longest = max(longest, gap)
			}
		}
		if longest == 3*time.Second {
			t.Error("want not all to come back at the same time")
		}
	})
}

func TestAPoolThatIsClosedEndsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(errBroken)
		p := fleetPool(t, f, []string{"a", "b"})
		call := fleetEndpoint(t, readSpec, p, lb.EndpointRetryAttempts(9), lb.EndpointRetryBackoff(1000*time.Hour, 1000*time.Hour))
		time.AfterFunc(time.Nanosecond, func() { _ = p.Close() })
		_, err := call(t.Context(), 1)
		all, ok := errors.AsType[*lb.RetryError](err)
		if !ok || len(all.Attempts) != 2 || len(f.called()) != 1 || all.Attempts[1].Instance.Address != "" {
			t.Errorf("want one attempt, and one that found no instance, have %v", err)
		}
		if !errors.Is(err, lb.ErrClosed) || !errors.Is(err, errBroken) || status.As(err).Reason != lb.ReasonNoInstance || transport.NotBegun(err) {
			t.Errorf("want both errors, have %v", err)
		}
	})
}

// The last thing that a call does is not to wait.
func TestNoAttemptBeginsWithoutTime(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		err      error
		attempts int
		latest   time.Duration
	}{
		"the server asks for more":    {errBroken.WithRetryAfter(2 * time.Second), 1, 0},
		"the server asks for less":    {errBroken.WithRetryAfter(600 * time.Millisecond), 2, 700 * time.Millisecond},
		"the wait may be much longer": {errBroken, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := script(row.err)
				opts := []lb.EndpointOption{lb.EndpointRetryBackoff(time.Millisecond, 100*time.Millisecond)}
				if row.err == errBroken { //nolint:errorlint // the very one
					opts = []lb.EndpointOption{lb.EndpointRetryBackoff(1000*time.Hour, 1000*time.Hour)}
				}
				call := fleetEndpoint(t, readSpec, fleetPool(t, f, []string{"a", "b"}), opts...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				_, err := call(ctx, 1)
				if took := time.Since(start); len(f.called()) != row.attempts || took > row.latest || !errors.Is(err, errBroken) {
					t.Errorf("want %d attempts in %v, have %d in %v, with %v", row.attempts, row.latest, len(f.called()), took, err)
				}
			})
		})
	}
}

func TestNothingBeginsAfterTheCallersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(errBroken)
		p := fleetPool(t, f, []string{"a", "b"})
		call := fleetEndpoint(t, readSpec, p, lb.EndpointRetryBackoff(1000*time.Hour, 1000*time.Hour))
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("own")
		time.AfterFunc(time.Second, func() { cancel(why) })
		start := time.Now()
		_, err := call(ctx, 1)
		if took := time.Since(start); took != time.Second || len(f.called()) != 1 {
			t.Errorf("want one attempt and the end after 1 s, have %v after %v", f.called(), took)
		}
		if status.CodeOf(err) != status.Canceled || !errors.Is(err, why) || !errors.Is(err, errBroken) || transport.NotBegun(err) {
			t.Errorf("want canceled, why, and the error of the attempt, have %v", err)
		}
		_, err = call(ctx, 1)
		if len(f.called()) != 1 || status.CodeOf(err) != status.Canceled || !errors.Is(err, transport.ErrNotSent) || !errors.Is(err, why) {
			t.Errorf("want no attempt, and canceled, have %v and %v", f.called(), err)
		}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		f.serve = func(context.Context, *host, int) (int, error) {
			end()
			return 0, errRefused
		}
		if _, err = call(ctx, 1); len(f.called()) != 2 || err != errRefused { //nolint:errorlint // the very one
			t.Errorf("want one attempt and its error, have %v and %v", f.called(), err)
		}
	})
}

func TestAnAttemptHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context, _ *host, _ int) (int, error) {
		<-ctx.Done()
		return 0, status.From(ctx.Err())
	}
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{serve: hang}
		p := fleetPool(t, f, []string{"a", "b", "c"})
		limit := lb.EndpointAttemptTimeout(time.Second)
		_, err := fleetEndpoint(t, readSpec, p, limit)(t.Context(), 1)
		if status.CodeOf(err) != status.DeadlineExceeded || len(f.called()) != 3 {
			t.Errorf("want 3 attempts and the deadline, have %v and %v", f.called(), err)
		}
		if _, err = fleetEndpoint(t, writeSpec, p, limit)(t.Context(), 1); len(f.called()) != 4 {
			t.Errorf("want one attempt of what is not idempotent, have %v and %v", f.called(), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err = fleetEndpoint(t, readSpec, p, limit)(ctx, 1)
		if took := time.Since(start); took != 1500*time.Millisecond || len(f.called()) != 6 || status.CodeOf(err) != status.DeadlineExceeded {
			t.Errorf("want 2 attempts in 1.5 s, have %d in %v and %v", len(f.called())-4, took, err)
		}
	})
}

// An attempt that had too little time is worth repeating when the next would have more.
func TestWhatHadTooLittleTimeIsRepeatedWithMore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		has, attempt time.Duration // 0 for no limit
		want         int           // attempts
	}{
		{0, time.Second, 3}, {time.Minute, time.Second, 3}, {2500 * time.Millisecond, time.Second, 2}, {time.Second, time.Second, 1}, {time.Second, 0, 1},
		{time.Minute, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{serve: func(context.Context, *host, int) (int, error) {
				time.Sleep(900 * time.Millisecond) // it waits there for its turn
				return 0, status.New(status.DeadlineExceeded, "too little time").WithReason("DEADLINE_UNREACHABLE")
			}}
			opts := []lb.EndpointOption{lb.EndpointRetryCodes(status.DeadlineExceeded), lb.EndpointRetryBackoff(1, 1)}
			if row.attempt > 0 {
				opts = append(opts, lb.EndpointAttemptTimeout(row.attempt))
			}
			call := fleetEndpoint(t, readSpec, fleetPool(t, f, []string{"a", "b", "c"}), opts...)
			ctx := t.Context()
			if row.has > 0 {
				limited, cancel := context.WithTimeout(ctx, row.has)
				defer cancel()
				ctx = limited
			}
			if _, err := call(ctx, 1); status.CodeOf(err) != status.DeadlineExceeded || len(f.called()) != row.want {
				t.Errorf("%+v: have %v and %v", row, f.called(), err)
			}
		})
	}
}

func TestWithoutAnInstanceNothingIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := script(nil)
		call := fleetEndpoint(t, readSpec, fleetPool(t, f, nil))
		start := time.Now()
		_, err := call(t.Context(), 1)
		e := status.As(err)
		if e == nil || e.Code != status.Unavailable || e.Reason != lb.ReasonNoInstance || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("want unavailable and %s, have %v", lb.ReasonNoInstance, err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("want it at once, have %v", took)
		}
	})
}
