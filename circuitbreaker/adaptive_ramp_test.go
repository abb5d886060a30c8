package circuitbreaker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// ramping is a breaker whose first call has just succeeded after a hundred that failed. Its window is so long that by the formula alone
// hardly a call would be let through.
func ramping(t *testing.T) *circuitbreaker.AdaptiveBreaker {
	t.Helper()
	b := adaptive(t, circuitbreaker.AdaptiveWindow(time.Hour), circuitbreaker.AdaptiveProtection(1000))
	fails(b, 5000)
	<-time.After(1250 * time.Millisecond)
	if have := succeeds(b, 1); have != 1 {
		t.Fatalf("want a probe let through, have %d calls", have)
	}
	return b
}

// begins makes so many calls begin, and returns how each that is let through is ended.
func begins(b circuitbreaker.Breaker, calls int) (all []func(error)) {
	for range calls {
		if done, err := b.Allow(); err == nil {
			all = append(all, done)
		}
	}
	return all
}

func TestInARampTwiceAsManyCallsGoThroughEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := ramping(t)
		for _, want := range []int{2, 4, 8, 16, 32} {
			all := begins(b, 100)
			if have := len(all); have < want || have > want+10 {
				t.Fatalf("want %d let through at a time, have %d", want, have)
			}
			for _, done := range all {
				done(nil)
			}
		}
	})
}

func TestCallsThatSayNothingDoNotEndARamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := ramping(t)
		for i := range 100 {
			done, err := b.Allow()
			if err != nil {
				t.Fatalf("want call %d let through, have %v", i, err)
			}
			done(circuitbreaker.ErrIgnored)
		}
	})
}

func TestAFailureEndsARampAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := ramping(t)
		for _, done := range begins(b, 100) {
			done(nil)
		}
		done, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		done(errDown)
		if have := len(begins(b, 100)); have > 2 {
			t.Errorf("want hardly any let through, have %d", have)
		}
	})
}

// What failed is counted when it is known, also when no call has begun for longer than the window.
func TestFailuresAfterASilenceCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := adaptive(t)
		all := begins(b, 100)
		<-time.After(10 * circuitbreaker.DefaultWindow)
		for _, done := range all {
			done(errDown)
		}
		if have := len(begins(b, 100)); have > 2 {
			t.Errorf("want none let through after a hundred that timed out, have %d", have)
		}
	})
}
