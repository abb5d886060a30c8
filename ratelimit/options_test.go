package ratelimit_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ashlar-go/ashlar/ratelimit"
)

func TestArgumentsThatAreWrong(t *testing.T) {
	t.Parallel()
	l := must(ratelimit.New(ratelimit.PerSecond(1)))
	gate := func(opts ...ratelimit.Option) error { _, err := ratelimit.NewGate(l, opts...); return err }
	erroring := func(opts ...ratelimit.Option) error {
		_, err := ratelimit.Erroring(rate.NewLimiter(1, 1), opts...)
		return err
	}
	delaying := func(opts ...ratelimit.Option) error {
		_, err := ratelimit.Delaying(rate.NewLimiter(1, 1), opts...)
		return err
	}
	local := func(limit ratelimit.Limit, opts ...ratelimit.LocalOption) error {
		_, err := ratelimit.New(limit, opts...)
		return err
	}
	quota := func(events int, period ratelimit.Period, opts ...ratelimit.QuotaOption) error {
		_, err := ratelimit.NewQuota(events, period, opts...)
		return err
	}
	around := func(l ratelimit.Limiter) error { _, err := ratelimit.NewGate(l); return err }
	nilOf := func(err error) error { return err }
	_, noLimiter := ratelimit.NewGate(nil)
	_, noAllower := ratelimit.Erroring(nil)
	_, noWaiter := ratelimit.Delaying(nil)
	_, noRate := ratelimit.Erroring((*rate.Limiter)(nil))
	_, noRateToWait := ratelimit.Delaying((*rate.Limiter)(nil))
	for _, row := range []struct {
		err   error
		names string
	}{
		{nilOf(noLimiter), "NewGate"},
		{nilOf(noAllower), "Erroring"},
		{nilOf(noWaiter), "Delaying"},
		{gate(nil), "nil"},
		{gate(ratelimit.OnEmptyKey(7)), "OnEmptyKey"},
		{gate(ratelimit.OnFailure(7)), "OnFailure"},
		{gate(ratelimit.Cost[string](nil)), "Cost"},
		{gate(ratelimit.Policy("")), "Policy"},
		{gate(ratelimit.Policy("ü")), "Policy"},
		{gate(ratelimit.Unit("")), "Unit"},
		{gate(ratelimit.Unit("\n")), "Unit"},
		{gate(ratelimit.Reason("")), `Reason("")`},
		{gate(ratelimit.Reason("lower case")), `Reason("lower case")`},
		{gate(ratelimit.Reason("SLOW_")), `Reason("SLOW_")`},
		{gate(ratelimit.Reason("4_YOU")), `Reason("4_YOU")`},
		{gate(ratelimit.Reason("SLOW-DOWN")), `Reason("SLOW-DOWN")`},
		{gate(ratelimit.By(nil)), "By: the key is nil"},
		{gate(ratelimit.OnEmptyKey(ratelimit.EmptyShared)), "OnEmptyKey: there are no keys"},
		{gate(ratelimit.Unit("content-bytes"), ratelimit.NoFields()), "Unit: with NoFields"},
		{gate(ratelimit.NoFields(), ratelimit.Unit("content-bytes")), "Unit: with NoFields"},
		{delaying(ratelimit.MaxWait(1), ratelimit.MaxWaiters(0)), "MaxWait: with MaxWaiters(0)"},
		{around(must(ratelimit.New(ratelimit.PerSecond(1), ratelimit.LocalMaxKeys(9)))), "LocalMaxKeys, and here there is one key"},
		{around(must(ratelimit.NewQuota(1, ratelimit.Daily(nil), ratelimit.QuotaMaxKeys(9)))), "QuotaMaxKeys, and here there is one key"},
		{around((*ratelimit.Local)(nil)), "NewGate: the limiter is nil"},
		{nilOf(noRate), "Erroring: the limiter is nil"},
		{nilOf(noRateToWait), "Delaying: the limiter is nil"},
		{gate(ratelimit.OnEvent(nil)), "OnEvent"},
		{gate(ratelimit.MaxWaiters(1)), "MaxWaiters"},
		{gate(ratelimit.MaxWait(1)), "MaxWait"},
		{delaying(ratelimit.MaxWaiters(-1)), "MaxWaiters"},
		{delaying(ratelimit.MaxWait(0)), "MaxWait"},
		{delaying(ratelimit.By(ratelimit.KeyPeer())), "By"},
		{erroring(ratelimit.By(ratelimit.KeyPeer())), "By"},
		{erroring(ratelimit.OnEmptyKey(ratelimit.EmptyShared)), "OnEmptyKey"},
		{erroring(ratelimit.PerOperation()), "PerOperation"},
		{erroring(ratelimit.Cost(func(string) int { return 1 })), "Cost"},
		{erroring(ratelimit.OnFailure(ratelimit.FailureAllow)), "OnFailure"},
		{erroring(ratelimit.Unit("content-bytes")), "Unit"},
		{erroring(ratelimit.NoFields()), "NoFields"},
		{erroring(ratelimit.MaxWait(1)), "MaxWait"},
		{local(ratelimit.Limit{}), "0 events"},
		{local(ratelimit.Limit{Events: -1, Period: 1}), "-1 events"},
		{local(ratelimit.Limit{Events: 1}), "period"},
		{local(ratelimit.Limit{Events: 1, Period: -1}), "period"},
		{local(ratelimit.Limit{Events: 1, Period: 1, Burst: -1}), "bursts"},
		{local(ratelimit.Limit{Events: 2, Period: 1}), "nanosecond"},
		{local(ratelimit.Limit{Events: 1, Period: time.Hour, Burst: 1 << 30}), "hundred years"},
		{local(ratelimit.PerSecond(1), ratelimit.LocalMaxKeys(0)), "LocalMaxKeys"},
		{local(ratelimit.PerSecond(1), nil), "nil"},
		{quota(1, nil), "nil"},
		{quota(0, ratelimit.Daily(nil)), "0 events"},
		{quota(1, ratelimit.Daily(nil), ratelimit.QuotaMaxKeys(-1)), "QuotaMaxKeys"},
		{quota(1, ratelimit.Every(0)), "want a period longer than 0"},
		{quota(1, ratelimit.Every(-time.Hour)), "want a period longer than 0"},
		{quota(1, func(time.Time) (start, end time.Time) { return start, end }), "want a period longer than 0"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.names) || !strings.HasPrefix(row.err.Error(), "ratelimit: ") {
			t.Errorf("want an error of ratelimit about %s, have %v", row.names, row.err)
		}
	}
	for name, key := range map[string]func(){
		"KeyFunc":          func() { ratelimit.KeyFunc(nil) },
		`KeyHeader("")`:    func() { ratelimit.KeyHeader("") },
		`KeyHeader("a b")`: func() { ratelimit.KeyHeader("a b") },
		`KeyHeader("a:")`:  func() { ratelimit.KeyHeader("a:") },
		"KeyOf":            func() { ratelimit.KeyOf[string](nil) },
		"KeyPeerNetwork":   func() { ratelimit.KeyPeerNetwork(0, 64) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, name) {
					t.Errorf("%s: want a panic that names it, have %q", name, text)
				}
			}()
			key()
		}()
	}
}

func TestOptionsThatGoTogether(t *testing.T) {
	t.Parallel()
	few := must(ratelimit.New(ratelimit.PerSecond(1), ratelimit.LocalMaxKeys(9)))
	for _, opts := range [][]ratelimit.Option{
		{ratelimit.By(ratelimit.KeyPeer()), ratelimit.OnEmptyKey(ratelimit.EmptyRefused)},
		{ratelimit.OnEmptyKey(ratelimit.EmptyRefused), ratelimit.By(ratelimit.KeyPeer())},
		{ratelimit.PerOperation()},
		{ratelimit.PerOperation(), ratelimit.Reason("A1_2B")},
	} {
		if _, err := ratelimit.NewGate(few, opts...); err != nil {
			t.Errorf("want nothing wrong, have %v", err)
		}
	}
}

// TestWhatNoConstructorHasMade fails, and does not panic.
func TestWhatNoConstructorHasMade(t *testing.T) {
	t.Parallel()
	for _, g := range []*ratelimit.Gate{nil, {}} {
		if err := call(t.Context(), g.Middleware(spec, nothing)); err == nil || !strings.Contains(err.Error(), "a Gate that") {
			t.Errorf("want an error of the Gate, have %v", err)
		}
	}
	if s := new(ratelimit.Gate).Status(); s.Waiting != 0 || s.Operations != nil {
		t.Errorf("want a status that says nothing, have %+v", s)
	}
	for want, l := range map[string]interface {
		ratelimit.Limiter
		Status() ratelimit.LocalStatus
	}{
		"a Local that": new(ratelimit.Local), "Local that New": (*ratelimit.Local)(nil),
		"a Quota that": new(ratelimit.Quota), "Quota that New": (*ratelimit.Quota)(nil),
	} {
		if d, err := l.Take(t.Context(), "key", 1); err == nil || !strings.Contains(err.Error(), want) || d != (ratelimit.Decision{}) {
			t.Errorf("want an error of %s New has not made, have %+v, %v", want, d, err)
		}
		if s := l.Status(); s != (ratelimit.LocalStatus{}) {
			t.Errorf("want a status that says nothing, have %+v", s)
		}
	}
}

func TestAllAreTold(t *testing.T) {
	t.Parallel()
	var told [2]int
	h := must(ratelimit.Erroring(rate.NewLimiter(0, 0),
		ratelimit.OnEvent(func(ratelimit.Event) { told[0]++ }), ratelimit.OnEvent(func(ratelimit.Event) { told[1]++ }))).Middleware(spec, nothing)
	_ = call(t.Context(), h)
	if want := [2]int{1, 1}; want != told {
		t.Errorf("want %v events, have %v", want, told)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		limit ratelimit.Limit
		text  string
		fill  time.Duration // of one
	}{
		{ratelimit.PerSecond(10), "10 in 1s", time.Second / 10},
		{ratelimit.PerMinute(60), "60 in 1m0s", time.Second},
		{ratelimit.PerHour(7), "7 in 1h0m0s", 514285714286},
		{ratelimit.Limit{Events: 10, Period: time.Second, Burst: 10}, "10 in 1s", time.Second / 10},
		{ratelimit.Limit{Events: 10, Period: time.Second, Burst: 3}, "10 in 1s, at once 3", time.Second / 10},
		{ratelimit.Limit{Events: 1, Period: ratelimit.MaxFill}, "1 in 876000h0m0s", ratelimit.MaxFill},
	} {
		if err := row.limit.Check(); err != nil {
			t.Errorf("%v: %v", row.limit, err)
		}
		if have := row.limit.String(); row.text != have {
			t.Errorf("want %s, have %s", row.text, have)
		}
		if have := row.limit.Fill(1); row.fill != have {
			t.Errorf("%v: want one in %v, have %v", row.limit, row.fill, have)
		}
	}
	years := ratelimit.Limit{Events: 7, Period: 10 * 365 * 24 * time.Hour}
	for _, row := range []struct {
		limit ratelimit.Limit
		n     int
		want  time.Duration
	}{
		{years, 1, 45051428571428571}, {years, 6, 270308571428571429}, {years, 0, 0}, {years, -1, 0}, {ratelimit.Limit{}, 1, 0},
		{years, math.MaxInt32, math.MaxInt64}, {ratelimit.PerHour(1), math.MaxInt, math.MaxInt64},
	} {
		if have := row.limit.Fill(row.n); row.want != have {
			t.Errorf("%v: want %d in %d ns, have %d", row.limit, row.n, row.want, have)
		}
	}
	for n, want := range map[int]string{11: "never has at once", -1: "want 0 or more"} {
		if _, err := must(ratelimit.New(ratelimit.PerSecond(10))).Take(context.Background(), "", n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("taking %d: want an error with %q, have %v", n, want, err)
		}
	}
}
