package circuitbreaker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// quarry is an instance of a service.
type quarry struct {
	address string
	down    *atomic.Bool
	calls   *atomic.Int64
}

func TestAPoolTakesAnotherInstanceWhenTheBreakerOfOneIsOpen(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				var calls atomic.Int64
				set, err := sd.NewStaticAddresses("a", "b", "c")
				if err != nil {
					t.Fatal(err)
				}
				dial := lb.ByAddress(func(_ context.Context, address string) (*quarry, error) {
					return &quarry{address: address, down: &down, calls: &calls}, nil
				})
				// The breaker alone is to keep calls away.
				pool, err := lb.New("quarry", set, dial, lb.PoolWaitReady(), lb.PoolPolicy(lb.RoundRobin()), lb.PoolEjectAfter(0), lb.PoolEjectRate(0))
				if err != nil {
					t.Fatal(err)
				}
				defer pool.Close()
				breakers := newBreakers(t, policy)
				call, err := lb.Endpoint(writeSpec, pool, func(q *quarry) (endpoint.Endpoint[int, string], error) {
					return endpoint.New(writeSpec.Client(), q.write, breakers.Instance(q.address)), nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for range 30 {
					if _, err := call(t.Context(), 1); err != nil {
						t.Fatal(err)
					}
				}
				down.Store(true)
				for range 1000 {
					<-time.After(10 * time.Millisecond)
					_, _ = call(t.Context(), 1)
				}
				before, failed := calls.Load(), 0
				for range 300 {
					<-time.After(10 * time.Millisecond)
					began := time.Now()
					if _, err := call(t.Context(), 1); err != nil {
						failed++ // one that was let through, and may not be repeated
					}
					if took := time.Since(began); took != 0 {
						t.Errorf("want no wait, have %v", took)
					}
				}
				if failed > 3 || int64(failed) != calls.Load()-before {
					t.Errorf("want nearly all of 300 from the others, have %d failed, of %d that were let through", failed, calls.Load()-before)
				}
				for _, s := range breakers.Status() {
					if open := s.State != circuitbreaker.Closed; open != (s.ID.Instance == "a") {
						t.Errorf("want that of a open, have %+v", s)
					}
				}
				down.Store(false)
				<-time.After(2 * time.Minute)
				all := map[string]int{}
				for range 300 {
					<-time.After(50 * time.Millisecond)
					at, err := call(t.Context(), 1)
					if err != nil {
						t.Error(err)
					}
					all[at]++
				}
				if all["a"] < 80 {
					t.Errorf("want it back, have %v", all)
				}
			})
		})
	}
}

func (q *quarry) write(context.Context, int) (string, error) {
	if q.address == "a" && q.down.Load() {
		q.calls.Add(1)
		return "", errFails
	}
	return q.address, nil
}

// A client learns from the answer of a server whose breaker is open that nothing was begun.
func TestARefusalOfAServerCrossesTheWire(t *testing.T) {
	t.Parallel()
	breakers := newBreakers(t, circuitbreaker.Adaptive())
	fails := func(context.Context, *struct{}) (*struct{}, error) { return nil, errFails }
	mux := http.NewServeMux()
	mux.Handle("POST /write", httptransport.NewServer(writeSpec, endpoint.New(writeSpec, fails, breakers.Middleware)))
	server := httptest.NewServer(mux)
	defer server.Close()
	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client, err := httptransport.NewClient[*struct{}, *struct{}](writeSpec, conn, "POST /write")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		_, err = client(t.Context(), &struct{}{})
		if want, have := i == 6, errors.Is(err, transport.ErrNotBegun); want != have {
			t.Errorf("call %d: want ErrNotBegun: %v, have %v", i, want, err)
		}
	}
	if errors.Is(err, circuitbreaker.ErrOpen) {
		t.Errorf("want ErrOpen of breakers of this process only, have %v", err)
	}
}
