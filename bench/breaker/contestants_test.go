// Package breaker_test measures what a circuit breaker costs a call, and how soon it notices an outage and its end. Ashlar's adaptive
// breaker, go-zero's and that of Kratos's aegis are all the client-side throttling of Google's SRE book, with the constants that each comes
// with; failsafe-go and gobreaker open after so many failures.
package breaker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	failsafe "github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/go-kratos/aegis/circuitbreaker/sre"
	"github.com/sony/gobreaker/v2"
	gozero "github.com/zeromicro/go-zero/core/breaker"
)

var errDown = errors.New("it is down")

// call makes a call that ends with outcome, and says whether it was let through.
type call func(outcome error) (through bool)

// contestant makes a breaker.
type contestant struct {
	name string
	new  func(t testing.TB) call
}

func contestants() []contestant {
	return []contestant{
		{"ashlar", newAshlar}, {"gozero", newGoZero}, {"kratos", newKratos}, {"failsafe", newFailsafe}, {"gobreaker", newGobreaker},
	}
}

func newAshlar(t testing.TB) call {
	t.Helper()
	b, err := circuitbreaker.NewAdaptive()
	if err != nil {
		t.Fatal(err)
	}
	return func(outcome error) bool {
		done, err := b.Allow()
		if err != nil {
			return false
		}
		done(outcome)
		return true
	}
}

func newGoZero(testing.TB) call {
	b := gozero.NewBreaker()
	return func(outcome error) bool {
		promise, err := b.Allow()
		switch {
		case err != nil:
			return false
		case outcome != nil:
			promise.Reject(outcome.Error())
		default:
			promise.Accept()
		}
		return true
	}
}

func newKratos(testing.TB) call {
	b := sre.NewBreaker()
	return func(outcome error) bool {
		switch {
		case b.Allow() != nil:
			b.MarkFailed() // as Kratos's middleware does
			return false
		case outcome != nil:
			b.MarkFailed()
		default:
			b.MarkSuccess()
		}
		return true
	}
}

func newFailsafe(testing.TB) call {
	b := failsafe.NewWithDefaults[any]()
	return func(outcome error) bool {
		switch {
		case !b.TryAcquirePermit():
			return false
		case outcome != nil:
			b.RecordFailure()
		default:
			b.RecordSuccess()
		}
		return true
	}
}

func newGobreaker(testing.TB) call {
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{})
	return func(outcome error) bool {
		done, err := b.Allow()
		if err != nil {
			return false
		}
		done(outcome)
		return true
	}
}

// The middleware, beside what is written by hand.

//go:noinline
func echo(_ context.Context, request any) (any, error) { return request, nil }

func newMiddleware(t testing.TB, policy circuitbreaker.Policy) endpoint.Handler {
	t.Helper()
	breakers, err := circuitbreaker.New(policy)
	if err != nil {
		t.Fatal(err)
	}
	return breakers.Middleware(endpoint.Spec{Service: "bench", Method: "Call", Kind: endpoint.Unary, Side: endpoint.Client}, echo)
}

func handlers(t testing.TB) map[string]endpoint.Handler {
	t.Helper()
	plain := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{})
	return map[string]endpoint.Handler{
		"none":             echo,
		"ashlar":           newMiddleware(t, circuitbreaker.Adaptive()),
		"ashlar-gobreaker": newMiddleware(t, sonybreaker.New(gobreaker.Settings{})),
		"plain-gobreaker": func(ctx context.Context, request any) (any, error) {
			return plain.Execute(func() (any, error) { return echo(ctx, request) })
		},
	}
}
