package lb_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

var (
	readSpec  = endpoint.Spec{Service: "quarry", Method: "Read", Idempotent: true}
	writeSpec = endpoint.Spec{Service: "quarry", Method: "Write"}

	errRefused = status.New(status.Unavailable, "it could not be reached").WithCause(transport.ErrNotSent)
	errBroken  = status.New(status.Unavailable, "the connection broke")
)

// host is an instance, as its client.
type host struct {
	name  string
	fleet *fleet
	calls atomic.Int64
}

// fleet is all hosts of a service, and what they do.
type fleet struct {
	serve func(ctx context.Context, h *host, request int) (int, error)

	mu    sync.Mutex
	calls []string        // the hosts that were called, in their order
	at    []time.Duration // when
	start time.Time
}

// call is the endpoint of a host.
func (h *host) call(ctx context.Context, request int) (int, error) {
	f := h.fleet
	h.calls.Add(1)
	f.mu.Lock()
	f.calls, f.at = append(f.calls, h.name), append(f.at, time.Since(f.start))
	f.mu.Unlock()
	return f.serve(ctx, h, request)
}

// called returns the hosts that were called.
func (f *fleet) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// times returns when they were called.
func (f *fleet) times() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.at)
}

// script makes attempt n of all return the n-th of these errors, and the ones after that the last.
func script(errs ...error) *fleet {
	f := new(fleet)
	n := -1
	f.serve = func(_ context.Context, _ *host, request int) (int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		n++
		return request, errs[min(n, len(errs)-1)]
	}
	return f
}

// newPool returns a pool of the hosts of these names, in turn. It is called in a bubble of synctest.
func fleetPool(t testing.TB, f *fleet, names []string, opts ...lb.PoolOption) *lb.Pool[*host] {
	t.Helper()
	p := openFleet(t, f, names, opts...)
	synctest.Wait()
	f.start = time.Now()
	return p
}

func openFleet(t testing.TB, f *fleet, names []string, opts ...lb.PoolOption) *lb.Pool[*host] {
	t.Helper()
	set, err := sd.NewStaticAddresses(names...)
	if err != nil {
		t.Fatal(err)
	}
	dial := lb.ByAddress(func(_ context.Context, name string) (*host, error) { return &host{name: name, fleet: f}, nil })
	p, err := lb.New("quarry", set, dial, append([]lb.PoolOption{lb.PoolPolicy(lb.RoundRobin()), lb.PoolEjectAfter(0)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func callHost(h *host) (endpoint.Endpoint[int, int], error) { return h.call, nil }

// newEndpoint returns an endpoint over the pool.
func fleetEndpoint(t testing.TB, spec endpoint.Spec, p *lb.Pool[*host], opts ...lb.EndpointOption) endpoint.Endpoint[int, int] {
	t.Helper()
	call, err := lb.Endpoint(spec, p, callHost, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// inFlight is how many calls the pool has.
func fleetInFlight(p *lb.Pool[*host]) (n int) {
	for _, i := range p.Instances() {
		n += i.InFlight
	}
	return n
}

// refused returns the error of a pool with the option.
func poolError(t testing.TB, opt lb.PoolOption) error {
	t.Helper()
	set, err := sd.NewStaticAddresses("a")
	if err != nil {
		t.Fatal(err)
	}
	p, err := lb.New("quarry", set, func(context.Context, sd.Instance) (*host, error) { return nil, errRefused }, opt)
	if err == nil {
		_ = p.Close()
	}
	return err
}
