package natstransport_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// Go kit's subscriber serves one message at a time: 100 requests a second of those that take 10 ms.
func TestOneSubscriptionServesManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	const many = 1000
	var all sync.WaitGroup
	all.Add(many)
	call := unary(t, func(_ context.Context, request *number) (*number, error) {
		all.Done()
		all.Wait() // for each other
		return request, nil
	}, nil)
	var callers sync.WaitGroup
	for n := range many {
		callers.Go(func() {
			if have, err := call(deadline(t), &number{n}); err != nil || have.N != n {
				t.Errorf("want %d, have %v, %v", n, have, err)
			}
		})
	}
	callers.Wait()
}

// full returns a server of which limit requests are served, and hold until release is called.
func full(t *testing.T, n int) (b *broker, service *natstransport.Service, release func()) {
	t.Helper()
	b = newBroker(t)
	began, held := make(chan struct{}), make(chan struct{})
	service = b.serve(natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
		if request.N > 0 {
			began <- struct{}{}
			<-held
		}
		return request, nil
	}, natstransport.ServerMaxInFlight(n)))
	call := client[*number, *number](t, b.conn())
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() {
			if _, err := call(deadline(t), &number{1}); err != nil {
				t.Errorf("one that was taken: %v", err)
			}
		})
		wait(t, began, "a request")
	}
	release = sync.OnceFunc(func() {
		close(held)
		callers.Wait()
	})
	t.Cleanup(release)
	return b, service, release
}

func TestOneRequestTooManyIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3, 200} {
		b, _, release := full(t, n)
		call := client[*number, *number](t, b.conn())
		for range 3 {
			_, err := call(deadline(t), &number{})
			e := status.As(err)
			if e == nil || e.Code != status.Unavailable || e.Reason != "OVERLOADED" || e.RetryAfter <= 0 {
				t.Errorf("limit %d: want unavailable, OVERLOADED and a time to wait, have %v", n, err)
			}
			if !transport.NotBegun(err) {
				t.Errorf("limit %d: want transport.ErrNotBegun in %v", n, err)
			}
		}
		release()
		eventually(t, "a request after the others", func() bool {
			_, err := call(deadline(t), &number{})
			return err == nil
		})
	}
}

func TestTheDefaultLimitOfRequestsAtOnce(t *testing.T) {
	t.Parallel()
	const more = 50
	var began, refused atomic.Int64
	held := make(chan struct{})
	call := unary(t, func(_ context.Context, request *number) (*number, error) {
		began.Add(1)
		<-held
		return request, nil
	}, nil)
	var callers sync.WaitGroup
	for range natstransport.DefaultMaxInFlight + more {
		callers.Go(func() {
			if _, err := call(deadline(t), &number{}); err != nil {
				refused.Add(1)
			}
		})
	}
	eventually(t, "all that fit, and all that do not", func() bool {
		return began.Load() == natstransport.DefaultMaxInFlight && refused.Load() == more
	})
	close(held)
	callers.Wait()
	if have := refused.Load(); have != more {
		t.Errorf("want %d refused, have %d", more, have)
	}
}

// After a rush a server does not keep all of its goroutines.
func TestIdleGoroutinesAreFew(t *testing.T) {
	t.Parallel()
	const rush = 10 * natstransport.MaxIdle
	_, service, release := full(t, rush)
	if have := service.Workers(); have < rush {
		t.Errorf("want one for each of %d requests, have %d", rush, have)
	}
	release()
	eventually(t, "the end of most", func() bool { return service.Workers() <= natstransport.MaxIdle })
}
