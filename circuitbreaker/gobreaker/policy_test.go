package sonybreaker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var errDown = status.New(status.Unavailable, "it is down")

func newBreaker(t *testing.T, settings gobreaker.Settings) circuitbreaker.Breaker {
	t.Helper()
	b, err := sonybreaker.New(settings).Breaker(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refusal makes calls fail until one is refused, and returns why.
func refusal(t *testing.T, b circuitbreaker.Breaker) *circuitbreaker.OpenError {
	t.Helper()
	for range 100 {
		done, err := b.Allow()
		if err != nil {
			open, ok := errors.AsType[*circuitbreaker.OpenError](err)
			if !ok {
				t.Fatalf("want an *OpenError, have %v", err)
			}
			return open
		}
		done(errDown)
	}
	t.Fatal("want a call refused")
	return nil
}

func TestARefusalSaysHowLongItIsOpen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		timeout, want time.Duration
	}{
		"as it comes": {0, time.Minute}, "ten seconds": {10 * time.Second, 10 * time.Second}, "a moment": {50, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreaker(t, gobreaker.Settings{Timeout: test.timeout})
				for _, passed := range []time.Duration{0, test.want / 4, test.want / 2} {
					<-time.After(passed)
					open := refusal(t, b)
					left := test.want - passed
					if passed == test.want/2 {
						left = test.want / 4 // after a quarter and a half
					}
					if over := open.RetryAfter - left; over < 0 || over > test.want/50+1 {
						t.Errorf("want %v, and little more, have %v", left, open.RetryAfter)
					}
					if !errors.Is(open, gobreaker.ErrOpenState) || !errors.Is(open, circuitbreaker.ErrOpen) {
						t.Errorf("want gobreaker's error in it, and ErrOpen, have %v", open)
					}
					if again := refusal(t, b); again != open {
						t.Errorf("want the same error for calls at the same time, have %v and %v", open, again)
					}
				}
			})
		})
	}
}

func TestWhileItIsTriedOthersAreToldToComeBackSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, gobreaker.Settings{})
		_ = refusal(t, b)
		<-time.After(2 * time.Minute)
		done, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		open := refusal(t, b)
		if open.RetryAfter != time.Second || !errors.Is(open, gobreaker.ErrTooManyRequests) {
			t.Errorf("want a second, and gobreaker's error, have %v: %v", open.RetryAfter, open)
		}
		done(nil)
		if done, err := b.Allow(); err != nil {
			t.Errorf("want it closed, have %v", err)
		} else {
			done(nil)
		}
	})
}

func TestTheSettingsAreThoseOfEachBreakerAndTheirFunctionsAreCalled(t *testing.T) {
	t.Parallel()
	var names []string
	trips := 0
	breakers, err := circuitbreaker.New(sonybreaker.New(gobreaker.Settings{
		Name:        "the name",
		ReadyToTrip: func(c gobreaker.Counts) bool { trips++; return c.TotalFailures >= 2 },
		OnStateChange: func(name string, from, to gobreaker.State) {
			names = append(names, name+": "+from.String()+" to "+to.String())
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	mw := breakers.Middleware
	for range 2 {
		h := mw(endpoint.Spec{Method: "Read", Kind: endpoint.Unary}, func(context.Context, any) (any, error) { return nil, errDown })
		for i := range 3 {
			_, err := h(t.Context(), nil)
			if want, have := i == 2, errors.Is(err, circuitbreaker.ErrOpen); want != have {
				t.Errorf("call %d: want it refused: %v, have %v", i, want, err)
			}
		}
	}
	if len(names) != 2 || names[0] != "the name: closed to open" || trips != 4 {
		t.Errorf("want two told, and each failure asked about, have %v and %d", names, trips)
	}
}

func TestWhoComesBackWhenToldIsLetThrough(t *testing.T) {
	t.Parallel()
	for _, passed := range []time.Duration{0, time.Second, 1234567 * time.Microsecond, 9999 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, gobreaker.Settings{Timeout: 10 * time.Second})
			_ = refusal(t, b)
			<-time.After(passed)
			<-time.After(refusal(t, b).RetryAfter)
			done, err := b.Allow()
			if err != nil {
				t.Fatalf("want the call let through after %v, have %v", passed, err)
			}
			done(nil)
		})
	}
}

// Both refusals have a second here, and are not the same.
func TestWhatIsTriedIsNotSaidToBeOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, gobreaker.Settings{Timeout: time.Second})
		_ = refusal(t, b)
		<-time.After(1001 * time.Millisecond)
		done, err := b.Allow()
		if err != nil {
			t.Fatal(err)
		}
		before := refusal(t, b)
		done(errDown)
		<-time.After(5 * time.Millisecond)
		if open := refusal(t, b); open.RetryAfter != before.RetryAfter || !errors.Is(before, gobreaker.ErrTooManyRequests) || !errors.Is(open, gobreaker.ErrOpenState) {
			t.Errorf("want gobreaker's own errors, have %v, then %v", before, open)
		}
	})
}
