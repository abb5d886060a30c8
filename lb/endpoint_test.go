package lb_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestBindIsCalledOnceForEachInstanceAndEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const endpoints, callers, calls = 5, 8, 100
		f := script(nil)
		p := fleetPool(t, f, []string{"a", "b", "c"})
		var binds [endpoints]sync.Map // how often, by host
		var all sync.WaitGroup
		for i := range endpoints {
			call, err := lb.Endpoint(readSpec, p, func(h *host) (endpoint.Endpoint[int, int], error) {
				n, _ := binds[i].LoadOrStore(h.name, new(atomic.Int64))
				n.(*atomic.Int64).Add(1) //nolint:forcetypeassert // see above
				runtime.Gosched()
				return h.call, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for range callers {
				all.Go(func() {
					for range calls {
						if _, err := call(t.Context(), i); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		all.Wait()
		for i := range endpoints {
			for _, name := range []string{"a", "b", "c"} {
				if n, ok := binds[i].Load(name); !ok || n.(*atomic.Int64).Load() != 1 { //nolint:forcetypeassert // see above
					t.Errorf("endpoint %d, %s: want bind called once, have %v", i, name, n)
				}
			}
		}
		if n := fleetInFlight(p); n != 0 {
			t.Errorf("want no calls in flight, have %d", n)
		}
	})
}

// What goes wrong in bind is the caller's own mistake, and speaks against no instance.
func TestABindThatFailsIsTriedAgainWithTheNextCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleetPool(t, script(nil), []string{"a", "b"}, lb.PoolEjectAfter(1))
		var binds int
		var answer func(h *host) (endpoint.Endpoint[int, int], error)
		call, err := lb.Endpoint(readSpec, p, func(h *host) (endpoint.Endpoint[int, int], error) {
			binds++
			return answer(h)
		})
		if err != nil {
			t.Fatal(err)
		}
		own := errors.New("own")
		for name, do := range map[string]func(h *host) (endpoint.Endpoint[int, int], error){
			"an error": func(*host) (endpoint.Endpoint[int, int], error) { return nil, own },
			"nil":      func(*host) (endpoint.Endpoint[int, int], error) { return nil, nil }, //nolint:nilnil // the mistake
		} {
			before := binds
			answer = do
			for range 4 {
				_, err := call(t.Context(), 1)
				e := status.As(err)
				if e == nil || e.Code != status.Internal || !errors.Is(err, transport.ErrNotSent) || name == "an error" && !errors.Is(err, own) {
					t.Errorf("%s: want internal, not sent and its cause, have %v", name, err)
				}
			}
			if have := binds - before; have != 4 {
				t.Errorf("%s: want bind called for each of 4 calls, have %d", name, have)
			}
		}
		synctest.Wait()
		for _, i := range p.Instances() {
			if i.State != lb.Ready || i.Failed != 0 || i.InFlight != 0 {
				t.Errorf("want nothing against %v, have %+v", i.Instance, i)
			}
		}
		answer = callHost
		if n, err := call(t.Context(), 7); n != 7 || err != nil {
			t.Errorf("want 7, have %d and %v", n, err)
		}
	})
}

func TestAPanicLeavesNoCallInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{serve: func(context.Context, *host, int) (int, error) { panic("own") }}
		p := fleetPool(t, f, []string{"a", "b"})
		bound, err := lb.Endpoint(readSpec, p, func(*host) (endpoint.Endpoint[int, int], error) { panic("own") })
		if err != nil {
			t.Fatal(err)
		}
		stream, err := lb.Stream(streamSpec, p, func(*host) (endpoint.Stream[int, int], error) {
			return endpoint.Endpoint[int, int](func(context.Context, int) (int, error) { panic("own") }).Stream(), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		unfit := fleetPool(t, script(errBroken), []string{"a"}, lb.PoolFailure(func(error) bool { panic("own") }))
		for name, call := range map[string]func(){
			"the call":    func() { _, _ = fleetEndpoint(t, readSpec, p)(t.Context(), 1) },
			"bind":        func() { _, _ = bound(t.Context(), 1) },
			"a stream":    func() { _ = stream(t.Context(), endpoint.Seq(1), nil) },
			"PoolFailure": func() { _, _ = fleetEndpoint(t, readSpec, unfit)(t.Context(), 1) },
		} {
			func() {
				defer func() {
					if have := recover(); have != "own" {
						t.Errorf("%s: want the panic, have %v", name, have)
					}
				}()
				call()
			}()
			if n := fleetInFlight(p) + fleetInFlight(unfit); n != 0 {
				t.Errorf("%s: want no calls in flight, have %d", name, n)
			}
		}
	})
}

func TestTheInstanceIsToldHowTheCallEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{}
		p := fleetPool(t, f, []string{"a"})
		f.serve = func(context.Context, *host, int) (int, error) {
			if n := fleetInFlight(p); n != 1 {
				t.Errorf("want one call in flight, have %d", n)
			}
			return 0, errBroken
		}
		_, _ = fleetEndpoint(t, readSpec, p)(t.Context(), 1)
		if have := p.Instances()[0]; have.Failed != 3 || have.InFlight != 0 {
			t.Errorf("want 3 failed calls, have %+v", have)
		}
	})
}

func TestTheKeyOfACallIsMadeOfItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type own struct{}
		f := script(nil)
		p := fleetPool(t, f, []string{"a", "b"}, lb.PoolPolicy(lb.ConsistentHash()))
		asked := 0
		call := fleetEndpoint(t, readSpec, p, lb.EndpointKey(func(ctx context.Context, request int) string {
			if ctx.Value(own{}) != true || request != 7 {
				t.Errorf("want the context and the request of the call, have %v", request)
			}
			asked++
			return "key"
		}))
		if _, err := call(context.WithValue(t.Context(), own{}, true), 7); err != nil || asked != 1 {
			t.Errorf("want the key asked for once, have %d and %v", asked, err)
		}
	})
}

func TestMistakesInAnEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleetPool(t, script(nil), nil)
		key := lb.EndpointKey(func(context.Context, string) string { return "" })
		hedge := lb.EndpointHedge(0.95, 1)
		streams := endpoint.Spec{Service: "quarry", Method: "Watch", Kind: endpoint.ServerStream}
		for want, attempt := range map[string]func() error{
			"the pool is nil": func() error { return errorOf(lb.Endpoint[*host](readSpec, nil, callHost)) },
			"bind is nil":     func() error { return errorOf(lb.Endpoint[*host, int, int](readSpec, p, nil)) },
			"the operation is server stream; use Stream": func() error { return errorOf(lb.Endpoint(streams, p, callHost)) },
			"EndpointKey is a func(context.Context, string) string, want func(context.Context, int) string": func() error {
				return errorOf(lb.Endpoint(readSpec, p, callHost, key))
			},
			"EndpointKey: the function is nil": func() error { return errorOf(lb.Endpoint(readSpec, p, callHost, lb.EndpointKey[int](nil))) },
			"EndpointHedge: the operation is not idempotent, and hedges do it twice": func() error {
				return errorOf(lb.Endpoint(writeSpec, p, callHost, hedge))
			},
			"EndpointHedge: 1 hedges need more attempts than 1": func() error {
				return errorOf(lb.Endpoint(readSpec, p, callHost, hedge, lb.EndpointNoRetry()))
			},
			"EndpointKey: the policy of the pool does not look at keys, as ConsistentHash does": func() error {
				return errorOf(lb.Endpoint(readSpec, p, callHost, lb.EndpointKey(func(context.Context, int) string { return "" })))
			},
			"EndpointHedgeDelay: there are no hedges without EndpointHedge": func() error {
				return errorOf(lb.Endpoint(readSpec, p, callHost, lb.EndpointHedgeDelay(time.Second)))
			},
			"the list of options: function 0 is nil": func() error { return errorOf(lb.Endpoint(readSpec, p, callHost, nil)) },
		} {
			if err := attempt(); err == nil || err.Error() != "lb: endpoint of quarry/Read: "+want &&
				err.Error() != "lb: endpoint of quarry/Watch: "+want && err.Error() != "lb: endpoint of quarry/Write: "+want {
				t.Errorf("want %q, have %v", want, err)
			}
		}
		for want, opt := range map[string]lb.EndpointOption{
			"EndpointRetryAttempts(0): want 1 to 10":                              lb.EndpointRetryAttempts(0),
			"EndpointRetryAttempts(11): want 1 to 10":                             lb.EndpointRetryAttempts(11),
			"EndpointRetryBackoff(0s, 1s): want more than 0, and as much or more": lb.EndpointRetryBackoff(0, time.Second),
			"EndpointRetryBackoff(2s, 1s): want more than 0, and as much or more": lb.EndpointRetryBackoff(2*time.Second, time.Second),
			"EndpointRetryWait(0s): want more than 0":                             lb.EndpointRetryWait(0),
			"EndpointRetryCodes: ok is no code of an error":                       lb.EndpointRetryCodes(status.OK),
			"EndpointRetryCodes: code(99) is no code of an error":                 lb.EndpointRetryCodes(99),
			"EndpointRetryCodes: canceled is what the caller gave up":             lb.EndpointRetryCodes(status.Canceled),
			"EndpointAttemptTimeout(0s): want more than 0":                        lb.EndpointAttemptTimeout(0),
			"EndpointHedge(0.4, 1): want 0.5 to 0.999, and 1 to 9":                lb.EndpointHedge(0.4, 1),
			"EndpointHedge(1, 1): want 0.5 to 0.999, and 1 to 9":                  lb.EndpointHedge(1, 1),
			"EndpointHedge(0.95, 0): want 0.5 to 0.999, and 1 to 9":               lb.EndpointHedge(0.95, 0),
			"EndpointHedge(0.95, 10): want 0.5 to 0.999, and 1 to 9":              lb.EndpointHedge(0.95, 10),
			"EndpointHedgeDelay(-1s): want more than 0":                           lb.EndpointHedgeDelay(-time.Second),
		} {
			if _, err := lb.Endpoint(readSpec, p, callHost, opt); err == nil || err.Error() != "lb: endpoint of quarry/Read: "+want {
				t.Errorf("want %q, have %v", want, err)
			}
		}
	})
}

func errorOf[T any](_ T, err error) error { return err }
