package natstransport_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

func TestShutdownFinishesWhatWasTaken(t *testing.T) {
	t.Parallel()
	b, service, release := full(t, 5)
	call := client[*number, *number](t, b.conn())
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- service.Shutdown(deadline(t)) }()
	}
	eventually(t, "the end of its subscription", func() bool {
		_, err := call(deadline(t), &number{})
		if status.CodeOf(err) != status.Unavailable {
			t.Fatalf("want unavailable, have %v", err)
		}
		return errors.Is(err, transport.ErrNotSent)
	})
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v while requests are served", err)
	default:
	}
	release() // which looks at the answers
	for range 2 {
		if err := wait(t, done, "Shutdown"); err != nil {
			t.Error(err)
		}
	}
}

// While one instance is shut down under load, no request is lost: each is answered by it or by the other.
func TestShutdownLosesNoRequest(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, double))
	conn := b.conn()
	call := client[*number, *number](t, conn)
	for range 5 {
		service := b.serve(natstransport.NewServer(unarySpec, double))
		var calls, stop atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			inFlight(1<<20, func() {
				if stop.Load() > 0 {
					return
				}
				if _, err := call(deadline(t), &number{1}); err != nil {
					t.Error(err)
				}
				calls.Add(1)
			})
		}()
		eventually(t, "some calls", func() bool { return calls.Load() > 100 })
		if err := service.Shutdown(deadline(t)); err != nil {
			t.Error(err)
		}
		before := calls.Load()
		eventually(t, "some more calls", func() bool { return calls.Load() > before+100 })
		stop.Store(1)
		<-done
	}
}

func TestShutdownForcesWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, seen, leave := make(chan struct{}), make(chan error, 1), make(chan struct{})
	service := b.serve(natstransport.NewServer(unarySpec, func(ctx context.Context, _ *number) (*number, error) {
		close(began)
		<-ctx.Done()
		seen <- context.Cause(ctx)
		<-leave // it does not heed that
		return &number{}, nil
	}))
	call := client[*number, *number](t, b.conn())
	done := make(chan error)
	go func() {
		_, err := call(t.Context(), &number{})
		done <- err
	}()
	wait(t, began, "the request")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := service.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want the context's error, have %v", err)
	}
	for what, err := range map[string]error{"client": wait(t, done, "the call"), "server": wait(t, seen, "the end of its context")} {
		if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" {
			t.Errorf("%s: want unavailable and SHUTTING_DOWN, have %v", what, err)
		}
		if transport.NotBegun(err) { // it had begun
			t.Errorf("%s: want no transport.ErrNotBegun, have %v", what, err)
		}
	}
	close(leave)
	if err := service.Shutdown(deadline(t)); err != nil {
		t.Errorf("twice: %v", err)
	}
}

func TestShutdownDuringAnOutage(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	nc := b.connect()
	service := b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, double)})
	lose(t, b, nc)
	if err := service.Shutdown(deadline(t)); err != nil {
		t.Error(err)
	}
	b.Start()
	back(t, nc)
	if n := nc.NumSubscriptions(); n > 0 {
		t.Errorf("want no subscription left, have %d", n)
	}
}

func TestNothingIsLeftOfAServiceAndAConn(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	nc := b.connect()
	service := b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, double)})
	conn := b.connOn(nc)
	if _, err := client[*number, *number](t, conn)(deadline(t), &number{}); err != nil {
		t.Fatal(err)
	}
	if err := service.Shutdown(deadline(t)); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if n := nc.NumSubscriptions(); n > 0 {
		t.Errorf("want no subscription left, have %d", n)
	}
}
