package ratelimit_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// failing is a Limiter that fails, or decides as the next.
type failing struct {
	ratelimit.Limiter

	err error
}

func (l *failing) Take(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	if l.err != nil {
		return ratelimit.Decision{}, l.err
	}
	return l.Limiter.Take(ctx, key, n)
}

// served is the context of a call from that address with that header.
func served(ctx context.Context, peer string, header transport.HeaderMap) (context.Context, *transport.Info) {
	return transport.NewServerContext(ctx, transport.Info{
		Transport: "nats", Operation: spec.Operation(), Peer: peer, Request: header, Response: transport.HeaderMap{}, Trailer: transport.HeaderMap{},
	})
}

func call(ctx context.Context, h endpoint.Handler) error {
	_, err := h(ctx, "request")
	return err
}

// refusal is what a caller, and its balancer, gets to know.
type refusal struct {
	code     status.Code
	reason   string
	after    time.Duration
	notBegun bool // says the header of a server
	withheld bool // says the cause on a client
}

func refusalOf(err error, info *transport.Info) refusal {
	e := status.From(err)
	if e == nil {
		return refusal{}
	}
	return refusal{
		code: e.Code, reason: e.Reason, after: e.RetryAfter, withheld: errors.Is(err, transport.ErrWithheld),
		notBegun: info != nil && info.Response.Get(transport.NotBegunHeader) == "true",
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	limit := ratelimit.Limit{Events: 2, Period: time.Second, Burst: 1}
	for name, row := range map[string]struct {
		gate func() (*ratelimit.Gate, error)
		want refusal
	}{
		"erroring":              {func() (*ratelimit.Gate, error) { return ratelimit.Erroring(rate.NewLimiter(2, 1)) }, refusal{after: 500 * time.Millisecond}},
		"erroring, of no rate":  {func() (*ratelimit.Gate, error) { return ratelimit.Erroring(rate.NewLimiter(0, 1)) }, refusal{}},
		"erroring, of any kind": {func() (*ratelimit.Gate, error) { return ratelimit.Erroring(&once{}) }, refusal{}},
		"delaying, none may": {func() (*ratelimit.Gate, error) {
			return ratelimit.Delaying(rate.NewLimiter(2, 1), ratelimit.MaxWaiters(0))
		}, refusal{after: 500 * time.Millisecond, reason: ratelimit.ReasonWaiting}},
		"delaying, it is long": {func() (*ratelimit.Gate, error) {
			return ratelimit.Delaying(rate.NewLimiter(2, 1), ratelimit.MaxWait(time.Millisecond))
		}, refusal{after: 500 * time.Millisecond}},
		"delaying, of any kind": {func() (*ratelimit.Gate, error) { return ratelimit.Delaying(&once{}) }, refusal{}},
		"a limiter":             {func() (*ratelimit.Gate, error) { return ratelimit.NewGate(must(ratelimit.New(limit))) }, refusal{after: 500 * time.Millisecond}},
		"a reason": {func() (*ratelimit.Gate, error) {
			return ratelimit.NewGate(must(ratelimit.New(limit)), ratelimit.Reason("SLOWLY"))
		}, refusal{after: 500 * time.Millisecond, reason: "SLOWLY"}},
		"a quota": {func() (*ratelimit.Gate, error) {
			return ratelimit.NewGate(must(ratelimit.NewQuota(1, ratelimit.Every(time.Minute))))
		}, refusal{after: time.Minute, reason: ratelimit.ReasonQuota}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, side := range []endpoint.Spec{spec, spec.Client()} {
				synctest.Test(t, func(t *testing.T) {
					g := must(row.gate())
					h := g.Middleware(side, nothing)
					ctx, info := served(t.Context(), "", nil)
					if err := call(ctx, h); err != nil {
						t.Fatalf("the first call: %v", err)
					}
					want := row.want
					want.code, want.notBegun, want.withheld = status.ResourceExhausted, side.Side == endpoint.Server, side.Side == endpoint.Client
					if want.reason == "" {
						want.reason = ratelimit.ReasonLimited
					}
					if have := refusalOf(call(ctx, h), info); want != have {
						t.Errorf("%v: want %+v, have %+v", side.Side, want, have)
					}
					refused := []ratelimit.OperationStatus{{Operation: "quarry/Cut", Side: side.Side, Refused: 1}}
					if want, have := refused, g.Status().Operations; !slices.Equal(want, have) {
						t.Errorf("want %+v, have %+v", want, have)
					}
				})
			}
		})
	}
}

// once allows something once.
type once struct{ done bool }

func (o *once) Allow() bool {
	allowed := !o.done
	o.done = true
	return allowed
}

func (o *once) Wait(context.Context) error { return errors.New("never again") }

func TestARateThatChanges(t *testing.T) {
	t.Parallel()
	l := rate.NewLimiter(2, 0)
	h := must(ratelimit.Erroring(l)).Middleware(spec, nothing)
	for _, row := range []struct {
		limit rate.Limit
		want  time.Duration
	}{{2, time.Second / 2}, {2, time.Second / 2}, {1000, time.Millisecond}, {1e-300, 0}, {0, 0}, {0.5, 2 * time.Second}} {
		l.SetLimit(row.limit)
		if have := status.From(call(t.Context(), h)).RetryAfter; row.want != have {
			t.Errorf("%v: want %v, have %v", row.limit, row.want, have)
		}
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(10))), ratelimit.Cost(func(n int) int { return n })))
	h := g.Middleware(spec, nothing)
	for _, row := range []struct {
		request any
		want    status.Code
		reason  string
	}{
		{6, status.OK, ""}, {5, status.ResourceExhausted, ratelimit.ReasonLimited}, {4, status.OK, ""}, {1, status.ResourceExhausted, ratelimit.ReasonLimited},
		{0, status.OK, ""}, {11, status.InvalidArgument, ratelimit.ReasonCost}, {-1, status.Internal, ""}, {"text", status.Internal, ""},
	} {
		ctx, info := served(t.Context(), "", nil)
		_, err := h(ctx, row.request)
		if notBegun := info.Response.Get(transport.NotBegunHeader) != ""; notBegun != (row.reason != "") {
			t.Errorf("%v: not begun: want %t, for refusals, have %t", row.request, row.reason != "", notBegun)
		}
		if e := status.From(err); row.want != status.CodeOf(err) || e != nil && e.Reason != row.reason {
			t.Errorf("%v: want %v %s, have %v", row.request, row.want, row.reason, err)
		}
		if row.reason == ratelimit.ReasonCost && (!errors.Is(err, ratelimit.ErrCost) || status.From(err).RetryAfter != 0) {
			t.Errorf("want ErrCost, and no RetryAfter, have %v", err)
		}
	}
}

// TestWhatIsFreeDoesNotAsk the limiter.
func TestWhatIsFreeDoesNotAsk(t *testing.T) {
	t.Parallel()
	l := &failing{err: errors.New("connection refused")}
	for name, opt := range map[string]ratelimit.Option{
		"no cost": ratelimit.Cost(func(string) int { return 0 }),
		"no key":  ratelimit.OnEmptyKey(ratelimit.EmptyUnlimited),
	} {
		g := must(ratelimit.NewGate(l, ratelimit.By(ratelimit.KeyHeader("Who")), opt))
		if err := call(t.Context(), g.Middleware(spec, nothing)); err != nil {
			t.Errorf("%s: want it to pass, have %v", name, err)
		}
	}
}

func TestALimiterThatFails(t *testing.T) {
	t.Parallel()
	errGone := errors.New("connection refused")
	for rule, want := range map[ratelimit.Failure]refusal{
		ratelimit.FailureRefuse: {code: status.Unavailable, reason: ratelimit.ReasonNoDecision, notBegun: true},
		ratelimit.FailureAllow:  {},
	} {
		var events []ratelimit.EventKind
		limiter := &failing{Limiter: must(ratelimit.New(ratelimit.PerSecond(100)))}
		g := must(ratelimit.NewGate(limiter, ratelimit.OnFailure(rule), ratelimit.OnEvent(func(e ratelimit.Event) { events = append(events, e.Kind) })))
		h := g.Middleware(spec, nothing)
		ctx, info := served(t.Context(), "", nil)
		for _, err := range []error{nil, errGone, errGone, nil, nil} {
			limiter.err = err
			wanted := refusal{}
			if err != nil {
				wanted = want
			}
			result := call(ctx, h)
			if have := refusalOf(result, info); wanted != have {
				t.Errorf("rule %d, %v: want %+v, have %+v", rule, err, wanted, have)
			}
			if result != nil && !errors.Is(result, errGone) {
				t.Errorf("want the cause in the error, have %v", result)
			}
			if want, have := err != nil, g.Status().Failing; want != have {
				t.Errorf("want failing %t, have %t", want, have)
			}
		}
		wantEvents := []ratelimit.EventKind{ratelimit.LimiterFailed, ratelimit.LimiterBack}
		if rule == ratelimit.FailureRefuse {
			wantEvents = []ratelimit.EventKind{ratelimit.LimiterFailed, ratelimit.Refused, ratelimit.Refused, ratelimit.LimiterBack}
		}
		if !slices.Equal(wantEvents, events) {
			t.Errorf("rule %d: want %v, have %v", rule, wantEvents, events)
		}
		if want, have := uint64(2), g.Status().Operations[0].Failed; want != have {
			t.Errorf("want %d that failed, have %d", want, have)
		}
	}
}

// TestTheCallersEndMeanwhileIsNoFailure of a limiter that is waited for.
func TestTheCallersEndMeanwhileIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	g := must(ratelimit.NewGate(&failing{err: context.Canceled}, ratelimit.By(ratelimit.KeyFunc(func(context.Context) string {
		cancel()
		return "ada"
	}))))
	if err := call(ctx, g.Middleware(spec, nothing)); !errors.Is(err, context.Canceled) || status.CodeOf(err) != status.Canceled {
		t.Errorf("want Canceled, have %v", err)
	}
	if s := g.Status(); s.Failing || s.Operations[0].Failed != 0 || s.Operations[0].Refused != 0 {
		t.Errorf("want nothing counted, have %+v", s)
	}
}

// TestTheCallersEndIsNoFailure of the limiter.
func TestTheCallersEndIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, g := range map[string]*ratelimit.Gate{
		"a limiter": must(ratelimit.NewGate(&failing{err: context.Canceled}, ratelimit.OnFailure(ratelimit.FailureAllow))),
		"local":     must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))))),
		"erroring":  must(ratelimit.Erroring(rate.NewLimiter(1, 1))),
		"delaying":  must(ratelimit.Delaying(rate.NewLimiter(1, 1))),
	} {
		for _, side := range []endpoint.Spec{spec, spec.Client()} {
			err := call(ctx, g.Middleware(side, nothing))
			if !errors.Is(err, context.Canceled) || status.CodeOf(err) != status.Canceled {
				t.Errorf("%s: want Canceled, have %v", name, err)
			}
			if want, have := side.Side == endpoint.Client, errors.Is(err, transport.ErrNotSent); want != have {
				t.Errorf("%s, %v: want not sent %t, have %t", name, side.Side, want, have)
			}
		}
		for _, o := range g.Status().Operations {
			if o.Failed != 0 || o.Refused != 0 {
				t.Errorf("%s: want nothing counted, have %+v", name, o)
			}
		}
		if name == "a limiter" {
			continue
		}
		if err := call(t.Context(), g.Middleware(spec, nothing)); err != nil {
			t.Errorf("%s: want nothing taken, have %v", name, err)
		}
	}
}
