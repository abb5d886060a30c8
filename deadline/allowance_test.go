package deadline_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// allow returns an endpoint with an allowance that says how much time it has.
func allow(t *testing.T, spec endpoint.Spec, keep time.Duration, opts ...deadline.AllowanceOption) (endpoint.Handler, *deadline.Allowance) {
	t.Helper()
	a, err := deadline.NewAllowance(keep, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a.Middleware(spec, func(ctx context.Context, _ any) (any, error) {
		d, ok := ctx.Deadline()
		if !ok {
			return nil, nil
		}
		return time.Until(d), nil
	}), a
}

const ms = time.Millisecond

func TestAnAllowanceIsWhatTheCallHasLess(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		keep  time.Duration
		share float64
		has   time.Duration
		want  any // nil for no deadline
	}{
		{100 * ms, 0, 1000 * ms, 900 * ms},
		{100 * ms, 0, 100*ms + 1, time.Duration(1)},
		{0, 0.25, 1000 * ms, 750 * ms},
		{100 * ms, 0.25, 1000 * ms, 750 * ms},
		{300 * ms, 0.25, 1000 * ms, 700 * ms},
		{100 * ms, 0.25, 0, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var opts []deadline.AllowanceOption
			if row.share > 0 {
				opts = append(opts, deadline.AllowanceShare(row.share))
			}
			call, _ := allow(t, spec.Client(), row.keep, opts...)
			ctx := t.Context()
			if row.has > 0 {
				limited, cancel := context.WithTimeout(ctx, row.has)
				defer cancel()
				ctx = limited
			}
			if have, err := call(ctx, nil); err != nil || have != row.want {
				t.Errorf("%+v: have %v, %v", row, have, err)
			}
		})
	}
}

func TestLessTimeThanTheAllowanceIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, side := range []endpoint.Spec{spec, spec.Client()} {
		synctest.Test(t, func(t *testing.T) {
			call, a := allow(t, side, 100*ms)
			for _, has := range []time.Duration{-5, 0, 100*ms - 1, 100 * ms} {
				ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(has))
				response, err := call(ctx, nil)
				e := status.As(err)
				if response != nil || e == nil || e.Code != status.DeadlineExceeded || e.Reason != deadline.ReasonUnreachable {
					t.Errorf("with %v: want a refusal, have %v, %v", has, response, err)
				}
				if want, have := side.Side == endpoint.Client, errors.Is(err, transport.ErrNotSent); want != have {
					t.Errorf("%v: not sent: want %t, have %t", side.Side, want, have)
				}
				cancel()
			}
			if have := a.Status(); len(have) != 1 || have[0].Refused != 4 || have[0].Operation != "orders/Place" || have[0].Side != side.Side {
				t.Errorf("want four refusals, have %+v", have)
			}
		})
	}
}

// That is what an allowance is for: the caller is still there when the answer comes.
func TestAFallbackStillReachesTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mux inproc.Mux
		mux.Handle(inproc.NewServer(spec, func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done() // a server that is too slow
			return "", status.From(ctx.Err())
		}))
		call, err := inproc.NewClient[string, string](spec.Client(), &mux)
		if err != nil {
			t.Fatal(err)
		}
		a, err := deadline.NewAllowance(20 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		fallback := endpoint.Fallback(func(_ context.Context, _ string, err error) (string, error) { return "stale", err })
		for want, call := range map[string]endpoint.Endpoint[string, string]{
			"":      endpoint.New(spec.Client(), call, fallback),
			"stale": endpoint.New(spec.Client(), call, fallback, a.Middleware),
		} {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			have, err := call(ctx, "o-1")
			if have != want || status.CodeOf(err) != status.DeadlineExceeded {
				t.Errorf("want %q and that the deadline has passed, have %q, %v", want, have, err)
			}
			if took := time.Since(start); want == "stale" && (took != 80*time.Millisecond || ctx.Err() != nil) {
				t.Errorf("want it after 80 ms, with time left, have it after %v", took)
			}
			cancel()
		}
	})
}
