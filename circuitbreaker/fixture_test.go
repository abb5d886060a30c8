package circuitbreaker_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

var (
	readSpec  = endpoint.Spec{Service: "quarry", Method: "Read", Idempotent: true}
	writeSpec = endpoint.Spec{Service: "quarry", Method: "Write"}
	watchSpec = endpoint.Spec{Service: "quarry", Method: "Watch", Kind: endpoint.ServerStream}

	errFails = status.New(status.Unavailable, "it fails")
)

// policies are those that the middleware is tested with: by the two steps of a Breaker, and by a Doer.
func policies() map[string]circuitbreaker.Policy {
	return map[string]circuitbreaker.Policy{
		"adaptive":  circuitbreaker.Adaptive(),
		"gobreaker": sonybreaker.New(gobreaker.Settings{}),
		"two steps": circuitbreaker.PolicyFunc(sonybreaker.New(gobreaker.Settings{}).Breaker),
	}
}

func newBreakers(t testing.TB, policy circuitbreaker.Policy, opts ...circuitbreaker.Option) *circuitbreaker.Breakers {
	t.Helper()
	b, err := circuitbreaker.New(policy, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// serves is an endpoint that does what f does, decorated, as a function that makes a call with the context of the test.
func serves(t testing.TB, spec endpoint.Spec, mw endpoint.Middleware, f func(ctx context.Context) error) func(ctx context.Context) error {
	t.Helper()
	call := endpoint.New(spec, func(ctx context.Context, request string) (string, error) { return "to " + request, f(ctx) }, mw)
	return func(ctx context.Context) error {
		response, err := call(ctx, "someone")
		if err == nil && response != "to someone" {
			t.Errorf("want the response, have %q", response)
		}
		return err
	}
}

// openedBy makes calls until one is refused, and returns how many were not; -1 if none was.
func openedBy(ctx context.Context, call func(context.Context) error) int {
	for i := range 100 {
		if refused(call(ctx)) {
			return i
		}
	}
	return -1
}

func refused(err error) bool { return errors.Is(err, circuitbreaker.ErrOpen) }

func always(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}
