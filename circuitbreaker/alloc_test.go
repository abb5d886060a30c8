package circuitbreaker_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/endpoint"
)

// handler is an endpoint that answers with the request, or err, decorated.
func handler(spec endpoint.Spec, mw endpoint.Middleware, err error) endpoint.Handler {
	spec.Kind = endpoint.Unary
	return mw(spec, func(_ context.Context, request any) (any, error) { return request, err })
}

func TestTheMiddlewareDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	request := any(new(int))
	ctx := of(t.Context(), "someone")
	for name, policy := range policies() {
		if name == "two steps" {
			continue // gobreaker's own allocates once
		}
		for what, mw := range map[string]endpoint.Middleware{
			"an endpoint": newBreakers(t, policy).Middleware,
			"an instance": newBreakers(t, policy).Instance("a"),
			"a key":       newBreakers(t, policy, circuitbreaker.Key(tenantOf)).Middleware,
		} {
			for outcome, err := range map[string]error{"success": nil, "failures, and refusals": errFails} {
				h := handler(readSpec.Client(), mw, err)
				if have := testing.AllocsPerRun(2000, func() { _, _ = h(ctx, request) }); have != 0 {
					t.Errorf("%s, %s, %s: want 0 allocations, have %v", name, what, outcome, have)
				}
			}
		}
	}
}
