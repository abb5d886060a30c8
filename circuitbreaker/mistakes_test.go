package circuitbreaker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// panics is the text with which f panics, "" if it does not.
func panics(f func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = "a panic that is no text"
			if s, ok := v.(string); ok {
				text = s
			}
		}
	}()
	f()
	return ""
}

func TestWhatCannotBeRefusedWithAnErrorPanicsAtOnceAndSaysWhy(t *testing.T) {
	t.Parallel()
	var zero circuitbreaker.Breakers
	var none *circuitbreaker.Breakers
	made := newBreakers(t, circuitbreaker.Adaptive())
	for name, test := range map[string]struct {
		try  func()
		want string
	}{
		"no codes":                {func() { circuitbreaker.Codes() }, "Codes(): want one at least"},
		"the code of no error":    {func() { circuitbreaker.Codes(status.Unavailable, status.OK) }, "Codes(ok): want codes of errors"},
		"no code":                 {func() { circuitbreaker.Codes(99) }, "Codes(code(99)): want codes of errors"},
		"no instance":             {func() { made.Instance("") }, `Instance(""): want what tells the instance from others`},
		"zero Breakers":           {func() { handler(readSpec, zero.Middleware, nil) }, "the Breakers have no policy; New makes those that have"},
		"an instance of zero":     {func() { zero.Instance("a") }, "the Breakers have no policy; New makes those that have"},
		"no Breakers":             {func() { handler(readSpec, none.Middleware, nil) }, "the Breakers have no policy; New makes those that have"},
		"an instance of none":     {func() { none.Instance("a") }, "the Breakers have no policy; New makes those that have"},
		"a policy that fails now": {failsLater(t), "the policy fails for quarry/Read, and did not before: AdaptiveProtection(-1)"},
	} {
		if have := panics(test.try); !strings.HasPrefix(have, "circuitbreaker: "+test.want) {
			t.Errorf("%s: want a panic with %q, have %q", name, test.want, have)
		}
	}
	if len(zero.Status())+len(none.Status()) != 0 {
		t.Error("want the status of none")
	}
}

// failsLater decorates an endpoint with what fails from the second time on.
func failsLater(t *testing.T) func() {
	t.Helper()
	protection := 1
	b := newBreakers(t, circuitbreaker.PolicyFunc(func(func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) {
		defer func() { protection = -1 }()
		return circuitbreaker.NewAdaptive(circuitbreaker.AdaptiveProtection(protection))
	}))
	return func() { handler(readSpec, b.Middleware, nil) }
}

func TestAnAdaptiveBreakerThatWasNotMadeRefusesAllCallsAndSaysWhy(t *testing.T) {
	t.Parallel()
	var zero circuitbreaker.AdaptiveBreaker
	for range 3 {
		done, err := zero.Allow()
		if done != nil || !errors.Is(err, circuitbreaker.ErrOpen) || !strings.Contains(err.Error(), "not made by NewAdaptive") {
			t.Errorf("want it refused, and to hear why, have %v", err)
		}
	}
	if want, have := (circuitbreaker.Report{State: circuitbreaker.Open, DropRatio: 1}), zero.Report(); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// A mistake is told once, under the name of what was written.
func TestErrorsSayOnceWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	bad := circuitbreaker.AdaptiveK(0.5)
	own := circuitbreaker.PolicyFunc(func(func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) {
		return circuitbreaker.NewAdaptive(bad)
	})
	const want = "circuitbreaker: AdaptiveK(0.5): want a number of 1 or more"
	_, alone := circuitbreaker.NewAdaptive(bad)
	_, policy := circuitbreaker.Adaptive(bad).Breaker(nil)
	_, adaptive := circuitbreaker.New(circuitbreaker.Adaptive(bad))
	_, byHand := circuitbreaker.New(own)
	for name, err := range map[string]error{"alone": alone, "a policy": policy, "New": adaptive, "a policy of one's own": byHand} {
		if err == nil || err.Error() != want {
			t.Errorf("%s: want %q, have %v", name, want, err)
		}
	}
}

func TestTheLimitOfKeysIsThatOfEachEndpoint(t *testing.T) {
	t.Parallel()
	breakers := newBreakers(t, circuitbreaker.Adaptive(), circuitbreaker.MaxKeys(1), circuitbreaker.Key(tenantOf)) // in either order
	for _, spec := range []endpoint.Spec{readSpec, writeSpec} {
		call := serves(t, spec, breakers.Middleware, always(nil))
		for _, tenant := range []string{"one", "other"} {
			if err := call(of(t.Context(), tenant)); err != nil {
				t.Error(err)
			}
		}
		defer func() { _ = call(t.Context()) }() // so that it is in use until then
	}
	if have := len(breakers.Status()); have != 2 {
		t.Errorf("want a breaker for each of two endpoints, have %d", have)
	}
}

func TestConstantsMayAgreeInPairs(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]circuitbreaker.AdaptiveOption{
		"a low K":        {circuitbreaker.AdaptiveK(1.05), circuitbreaker.AdaptiveMinK(1.05, time.Second)},
		"a high MinK":    {circuitbreaker.AdaptiveMinK(1.6, time.Second), circuitbreaker.AdaptiveK(1.7)},
		"a short window": {circuitbreaker.AdaptiveWindow(20 * time.Millisecond), circuitbreaker.AdaptiveBuckets(20)},
	} {
		if _, err := circuitbreaker.NewAdaptive(opts...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
