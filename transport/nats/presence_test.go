package natstransport_test

import (
	"context"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// NATS says nothing to those who wait for an answer of a process that has died, however long they would.
func TestACallMissesAServerThatIsGone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	conn := b.conn()
	for name, prefix := range map[string]string{"of the service": "", "of an instance": "numbers-1"} {
		began, leave := make(chan struct{}, 1), make(chan struct{})
		var opts []natstransport.ServerOption
		at := conn
		if prefix != "" {
			opts = append(opts, natstransport.ServerPrefix(prefix))
			var err error
			if at, err = conn.At(prefix); err != nil {
				t.Fatal(err)
			}
		}
		nc := b.connect()
		b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) {
			began <- struct{}{}
			<-leave
			return &number{}, nil
		}, opts...)}, natstransport.ServiceErrorHandler(func(string, error) {}))
		call := client[*number, *number](t, at)
		done := make(chan error, 2)
		for _, ctx := range []context.Context{t.Context(), deadline(t)} {
			go func() {
				_, err := call(ctx, &number{})
				done <- err
			}()
			wait(t, began, "the endpoint")
		}
		const served = 600 * time.Millisecond // long enough for it to be looked twice
		select {
		case err := <-done:
			t.Fatalf("%s: a call ended though it is served: %v", name, err)
		case <-time.After(served):
		}
		nc.Close() // as far as others can see, the process has died
		for range 2 {
			if err := wait(t, done, "the call"); status.CodeOf(err) != status.Unavailable || transport.NotBegun(err) {
				t.Errorf("%s: want unavailable, and perhaps served, have %v", name, err)
			}
		}
		close(leave)
	}
}

// A server that shuts down takes nothing new, and is there for what it serves.
func TestACallIsNotMissedByAServerThatShutsDown(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, leave := make(chan struct{}, 1), make(chan struct{})
	service := b.serve(natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) {
		began <- struct{}{}
		<-leave
		return &number{7}, nil
	}))
	call := client[*number, *number](t, b.conn())
	done, down := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := call(deadline(t), &number{})
		done <- err
	}()
	wait(t, began, "the endpoint")
	go func() { down <- service.Shutdown(deadline(t)) }()
	const served = 600 * time.Millisecond
	select {
	case err := <-done:
		t.Fatalf("the call ended though it is served: %v", err)
	case <-time.After(served):
	}
	close(leave)
	if err := wait(t, done, "the call"); err != nil {
		t.Error(err)
	}
	if err := wait(t, down, "Shutdown"); err != nil {
		t.Error(err)
	}
}
