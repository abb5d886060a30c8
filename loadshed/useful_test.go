package loadshed_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// A service can do ten calls at a time; more of them all end as soon, but to no use. The limit is not led on by those.
func TestWhatIsNoUseDoesNotRaiseTheLimit(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		end  func(cancel context.CancelFunc) error
		opts []loadshed.Option
		led  bool
	}{
		"unavailable":     {end: func(context.CancelFunc) error { return status.New(status.Unavailable, "x") }},
		"context ended":   {end: func(cancel context.CancelFunc) error { cancel(); return nil }},
		"panic":           {end: func(context.CancelFunc) error { panic("x") }},
		"by the option":   {end: func(context.CancelFunc) error { return errors.New("own") }, opts: []loadshed.Option{loadshed.Useful(func(error) bool { return false })}},
		"another's error": {end: func(context.CancelFunc) error { return errors.New("own") }, led: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShedder(t, append(row.opts, loadshed.ProcessorThreshold(0), loadshed.LimitRange(1, 10, 1000))...)
				var inside atomic.Int64
				h := s.Middleware(spec, func(_ context.Context, request any) (any, error) {
					n := inside.Add(1)
					defer inside.Add(-1)
					time.Sleep(10 * time.Millisecond)
					if n > 10 {
						cancel, _ := request.(context.CancelFunc)
						return nil, row.end(cancel)
					}
					return "stone", nil
				})
				var callers sync.WaitGroup
				end := time.Now().Add(15 * time.Second)
				for range 100 {
					callers.Go(func() {
						for time.Now().Before(end) {
							call(t.Context(), h)
							time.Sleep(time.Millisecond)
						}
					})
				}
				callers.Wait()
				if have := s.Status().Limit; (have > 40) != row.led {
					t.Errorf("want a limit above 40 only if it is led on, %t, have %d", row.led, have)
				}
			})
		})
	}
}

// call calls h with the function that ends its context, and recovers.
func call(ctx context.Context, h endpoint.Handler) {
	defer func() { _ = recover() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, _ = h(ctx, cancel)
}

// Only the answer to the call that was refused says that nothing was begun, and not when the caller has gone.
func TestWhichAnswersSayThatNothingWasBegun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		served string
		gone   bool
		want   string
	}{
		"refused":                      {served: spec.Operation(), want: "true"},
		"refused, by another endpoint": {served: "/quarry/Build"},
		"gone":                         {served: spec.Operation(), gone: true},
	} {
		s := roomless(t, 1)
		done := acquire(t, s)
		response := transport.HeaderMap{}
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "nats", Operation: row.served, Response: response})
		ctx, cancel := context.WithCancel(ctx)
		if row.gone {
			cancel()
		}
		server := spec
		server.Side = endpoint.Server
		if _, err := s.Middleware(server, nil)(ctx, nil); err == nil {
			t.Errorf("%s: want an error", name)
		}
		if have := response.Get(transport.NotBegunHeader); row.want != have {
			t.Errorf("%s: want %q, have %q", name, row.want, have)
		}
		cancel()
		done(nil)
	}
}

// An overload has ended when for a second nothing was refused.
func TestAnOverloadEndsAfterACalmSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := 0
		s := roomless(t, 1, loadshed.OnEvent(func(loadshed.Event) { events++ }))
		for i := range 30 {
			done := acquire(t, s)
			if i == 1 || i == 10 {
				_, err := s.Acquire(t.Context())
				refused(t, err, loadshed.ErrFull)
			}
			time.Sleep(100 * time.Millisecond)
			done(nil)
			if want, have := map[int]int{5: 1, 19: 1, 25: 2, 29: 2}, events; want[i] != 0 && want[i] != have {
				t.Errorf("after %d calls: want %d events, have %d", i+1, want[i], have)
			}
		}
	})
}
