package lb_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/transport"
)

// mortal is a service one host of which can be killed: its calls break then, and from then on it is refused.
type mortal struct {
	*fleet

	killed  chan struct{}
	dead    atomic.Bool
	served  atomic.Int64
	refused atomic.Int64
}

func newMortal(victim string, takes time.Duration) *mortal {
	m := &mortal{fleet: new(fleet), killed: make(chan struct{})}
	m.serve = func(ctx context.Context, h *host, request int) (int, error) {
		if h.name == victim && m.dead.Load() {
			m.refused.Add(1)
			return 0, errRefused
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if h.name == victim {
			go func() {
				select {
				case <-m.killed:
					cancel()
				case <-ctx.Done():
				}
			}()
		}
		if pause(ctx, takes) != nil {
			return 0, errBroken
		}
		m.served.Add(1)
		return request, nil
	}
	return m
}

func (m *mortal) kill() {
	m.dead.Store(true)
	close(m.killed)
}

// Two thousand calls a second, of which a third is at the instance that is killed.
func TestAKilledInstanceUnderLoad(t *testing.T) {
	t.Parallel()
	runs := 20
	if raceEnabled {
		runs = 2
	}
	for _, row := range []struct {
		name  string
		again bool // calls that break may be repeated
	}{{"idempotent", true}, {"not idempotent", false}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for range runs {
				synctest.Test(t, func(t *testing.T) {
					m := newMortal("b", 20*time.Millisecond)
					p := fleetPool(t, m.fleet, []string{"a", "b", "c"}, lb.PoolPolicy(lb.PeakEWMA()), lb.PoolEjectAfter(lb.DefaultEjectAfter))
					spec := readSpec
					spec.Idempotent = row.again
					var failed, begun atomic.Int64
					call := fleetEndpoint(t, spec, p)
					time.AfterFunc(time.Second, m.kill)
					calls := driveFor(t.Context(), func(ctx context.Context, request int) (int, error) {
						n, err := call(ctx, request)
						if err != nil {
							failed.Add(1)
							if !transport.NotBegun(err) {
								begun.Add(1)
							}
						}
						return n, err
					}, 500*time.Microsecond, 4*time.Second) // so that it is taken back in between
					want := int64(0)
					if !row.again {
						want = begun.Load() // those that were on the way
					}
					if failed.Load() != want || m.refused.Load() == 0 || row.again && m.served.Load() != int64(calls) || begun.Load() > 60 {
						t.Errorf("of %d calls: want %d errors, have %d; %d were begun, and %d refused", calls, want, failed.Load(), begun.Load(), m.refused.Load())
					}
				})
			}
		})
	}
}
