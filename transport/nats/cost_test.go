package natstransport_test

import "testing"

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newBroker(t)
	plain, ashlar := plainOrders(t, b), ashlarOrders(t.Context(), t, b)
	const runs = 500
	base := testing.AllocsPerRun(runs, plain)
	const more = 4
	if have := testing.AllocsPerRun(runs, ashlar); have > base+more {
		t.Errorf("want at most %v allocations beyond the %v of nats.go, have %v", more, base, have)
	}
}
