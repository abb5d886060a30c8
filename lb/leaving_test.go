package lb_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Whoever shuts down says so once.
func TestAnInstanceThatShutsDownIsOutAtOnce(t *testing.T) {
	t.Parallel()
	down := status.New(status.Unavailable, "the server is shutting down").WithReason("SHUTTING_DOWN")
	for name, row := range map[string]struct {
		err  error
		more int // calls that it gets after the first
	}{
		"it refuses":                 {down.WithCause(transport.ErrNotBegun), 0},
		"somebody behind it does":    {down, lb.DefaultEjectAfter - 1},
		"it refuses as it has much":  {status.New(status.Unavailable, "full").WithCause(transport.ErrNotBegun), lb.DefaultEjectAfter - 1},
		"it could not be reached at": {errBroken, lb.DefaultEjectAfter - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fleet{serve: func(_ context.Context, h *host, request int) (int, error) {
					if h.name == "a" {
						return 0, row.err
					}
					return request, nil
				}}
				p := fleetPool(t, f, []string{"a", "b", "c"}, lb.PoolEjectAfter(lb.DefaultEjectAfter))
				call := fleetEndpoint(t, readSpec, p)
				for range 40 {
					if _, err := call(t.Context(), 1); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				if f.times()[len(f.times())-1] >= lb.DefaultEjectFirst {
					t.Fatal("it was long enough for it to be back")
				}
				have := 0
				for _, name := range f.called() {
					if name == "a" {
						have++
					}
				}
				if want := 1 + row.more; want != have {
					t.Errorf("want %d calls of it, have %d", want, have)
				}
			})
		})
	}
}
