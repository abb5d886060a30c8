package natstransport_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// NATS may deliver what opens a stream after those that went on have been ended.
func TestShutdownEndsStreamsThatOpenMeanwhile(t *testing.T) {
	t.Parallel()
	const clients, rounds = 50, 10
	b := newBroker(t)
	call := streamClient[*number, *number](t, b.conn())
	for range rounds {
		opened := make(chan struct{}, clients)
		service := b.serve(natstransport.NewStreamServer(streamSpec, func(ctx context.Context, _ inSeq, _ func(*number) error) error {
			opened <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}))
		var running sync.WaitGroup
		for range clients {
			running.Go(func() {
				if err := call(t.Context(), endpoint.Seq[*number](), nil); status.CodeOf(err) != status.Unavailable {
					t.Errorf("want unavailable, have %v", err)
				}
			})
		}
		wait(t, opened, "the first stream")
		if err := service.Shutdown(deadline(t)); err != nil {
			t.Fatal(err)
		}
		running.Wait()
	}
}

// The hooks are called by NATS itself here, and what panics there ends the process.
func TestAHookThatIsToldWhatWentWrongMayPanic(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	told := make(chan error, 1)
	service := b.serveOn(b.connect(), []*natstransport.Server{natstransport.NewServer(unarySpec, double)},
		natstransport.ServiceErrorHandler(func(_ string, err error) {
			told <- err
			panic("told")
		}))
	nc := b.connect()
	if err := nc.Publish("$SRV.PING", nil); err != nil { // there is nobody to answer
		t.Fatal(err)
	}
	_ = wait(t, told, "the error")
	ask[micro.Stats](t, nc, micro.StatsVerb, "numbers", service.ID())
	if _, err := client[*number, *number](t, b.conn())(deadline(t), &number{}); err != nil {
		t.Error(err)
	}
}

// No connection is too short for a Conn and a Service to end.
func TestWhatIsMadeOfAConnectionThatEndsEndsToo(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for range 2000 { // it ends at another moment each time
		nc := b.connect()
		go nc.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if conn, err := natstransport.NewConn(nc); err == nil {
				_ = conn.Close()
			}
			if service, err := natstransport.Serve(nc, "numbers", "1.2.3", []*natstransport.Server{natstransport.NewServer(unarySpec, double)}); err == nil {
				_ = service.Shutdown(context.Background())
			}
		}()
		wait(t, done, "the end of both")
	}
}

// NATS may deliver a request after all have been ended. Its client is told, and does not wait.
func TestACallThatBeginsAfterAllWereEndedIsRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	service := b.serve(natstransport.NewServer(unarySpec, double), natstransport.NewStreamServer(streamSpec, echo))
	if left := service.Force(); left != 0 {
		t.Errorf("want no calls, have %d", left)
	}
	for name, call := range calls(t, b.conn()) {
		err := call(deadline(t))
		if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" || !errors.Is(err, transport.ErrNotBegun) {
			t.Errorf("%s: want unavailable, SHUTTING_DOWN and transport.ErrNotBegun, have %v", name, err)
		}
	}
}
