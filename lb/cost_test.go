package lb_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
)

//nolint:paralleltest // allocations are counted for the whole process
func TestAnEndpointOfAPoolKeepsItsBudget(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	none := status.New(status.NotFound, "none")
	good, bad := readyFleet(t, 3), readyFleet(t, 3, lb.PoolRetryBudget(0, 0))
	bind := func(err error) func(*host) (endpoint.Endpoint[int, int], error) {
		return func(*host) (endpoint.Endpoint[int, int], error) {
			return func(context.Context, int) (int, error) { return 0, err }, nil
		}
	}
	for _, row := range []struct {
		name string
		want float64
		pool *lb.Pool[*host]
		err  error
		opts []lb.EndpointOption
	}{
		{"a call that succeeds", 0, good, nil, nil},
		{"a call that is not repeated", 0, good, none, nil},
		{"a call without retries", 0, good, errBroken, []lb.EndpointOption{lb.EndpointNoRetry()}},
		{"a call whose budget is spent", 0, bad, errBroken, nil},
		{"a call that may be hedged", 8, good, nil, []lb.EndpointOption{lb.EndpointHedge(0.95, 1)}},
	} {
		call, err := lb.Endpoint(readSpec, row.pool, bind(row.err), row.opts...)
		if err != nil {
			t.Fatal(err)
		}
		for range 300 { // bound everywhere, and hedges know when
			_, _ = call(ctx, 1)
		}
		if have := testing.AllocsPerRun(1000, func() { _, _ = call(ctx, 1) }); have > row.want {
			t.Errorf("%s: want at most %v allocations, have %v", row.name, row.want, have)
		}
	}
}
