package lb_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
)

// readyPool returns a pool of so many hosts that are all connected.
func readyFleet(t testing.TB, hosts int, opts ...lb.PoolOption) *lb.Pool[*host] {
	t.Helper()
	names := make([]string, hosts)
	for i := range names {
		names[i] = "host-" + strconv.Itoa(i)
	}
	var connected atomic.Int64
	all := make(chan struct{})
	f := &fleet{serve: func(_ context.Context, _ *host, request int) (int, error) { return request, nil }}
	p := openFleet(t, f, names, append(opts, lb.PoolWaitReady(), lb.PoolEvents(func(e lb.Event) {
		if e.Kind == lb.Connected && connected.Add(1) == int64(hosts) {
			close(all)
		}
	}))...)
	<-all
	return p
}

// plain is what a call costs at the least.
func echoCall(_ context.Context, request int) (int, error) { return request, nil }

func bindEcho(*host) (endpoint.Endpoint[int, int], error) { return echoCall, nil }

func BenchmarkEndpoint(b *testing.B) {
	spec := readSpec
	run := func(b *testing.B, call endpoint.Endpoint[int, int]) {
		b.Helper()
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		b.Run("serial", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(ctx, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := call(ctx, 1); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("direct", func(b *testing.B) { run(b, echoCall) })
	for _, hosts := range []int{3, 100, 10_000} {
		p := readyFleet(b, hosts, lb.PoolPolicy(lb.PeakEWMA()))
		b.Run(strconv.Itoa(hosts)+"/pick", func(b *testing.B) {
			run(b, func(ctx context.Context, request int) (int, error) {
				_, done, err := p.Pick(ctx)
				if err != nil {
					return 0, err
				}
				response, err := echoCall(ctx, request)
				done(err)
				return response, err
			})
		})
		for name, opts := range map[string][]lb.EndpointOption{
			"pool":   nil,
			"hedged": {lb.EndpointHedge(lb.DefaultHedgePercentile, 1)},
		} {
			call, err := lb.Endpoint(spec, p, bindEcho, opts...)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(strconv.Itoa(hosts)+"/"+name, func(b *testing.B) { run(b, call) })
		}
	}
}

func BenchmarkRetry(b *testing.B) {
	p := readyFleet(b, 3, lb.PoolRetryBudget(1, 1e9))
	var n int
	call, err := lb.Endpoint(readSpec, p, func(*host) (endpoint.Endpoint[int, int], error) {
		return func(_ context.Context, request int) (int, error) {
			if n++; n%2 == 1 {
				return 0, errRefused
			}
			return request, nil
		}, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := call(b.Context(), 1); err != nil {
			b.Fatal(err)
		}
	}
}
