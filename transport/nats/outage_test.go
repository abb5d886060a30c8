package natstransport_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// lose ends the NATS server as a crash does, and waits until the connection knows.
func lose(t *testing.T, b *broker, ncs ...*nats.Conn) {
	t.Helper()
	b.Kill()
	for _, nc := range ncs {
		eventually(t, "the loss of a connection", func() bool { return !nc.IsConnected() })
	}
}

// back waits until the connection is back, and the NATS server knows its subscriptions.
func back(t *testing.T, nc *nats.Conn) {
	t.Helper()
	eventually(t, "the return of a connection", func() bool { return nc.IsConnected() && nc.Flush() == nil })
}

func TestDuringAnOutageCallsFailAtOnceOrWait(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serverConn, clientConn := b.connect(), b.connect()
	b.serveOn(serverConn, []*natstransport.Server{natstransport.NewServer(unarySpec, double), natstransport.NewStreamServer(streamSpec, echo)})
	conn := b.connOn(clientConn)
	fast, patient := calls(t, conn), calls(t, conn, natstransport.ClientWaitForConnection())
	lose(t, b, serverConn, clientConn)
	for name, call := range fast {
		if err := call(t.Context()); status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable and not sent, have %v", name, err)
		}
	}
	for name, call := range patient {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := call(ctx); status.CodeOf(err) != status.DeadlineExceeded || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want deadline_exceeded and not sent, have %v", name, err)
		}
		cancel()
	}
	b.Start()
	back(t, serverConn)
	for name, call := range patient {
		if err := call(deadline(t)); err != nil {
			t.Errorf("%s: after the outage: %v", name, err)
		}
	}
	for name, call := range fast {
		if err := call(deadline(t)); err != nil {
			t.Errorf("%s: after the outage: %v", name, err)
		}
	}
}

func TestACallThatWaitsForTheConnectionGetsIt(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	serverConn, clientConn := b.connect(), b.connect()
	b.serveOn(serverConn, []*natstransport.Server{natstransport.NewServer(unarySpec, double)})
	call := client[*number, *number](t, b.connOn(clientConn), natstransport.ClientWaitForConnection(),
		natstransport.ClientBefore(func(ctx context.Context, _ transport.Header) context.Context {
			back(t, serverConn)
			return ctx
		}))
	lose(t, b, serverConn, clientConn)
	done := make(chan error)
	go func() {
		_, err := call(deadline(t), &number{})
		done <- err
	}()
	b.Start()
	if err := wait(t, done, "the call"); err != nil {
		t.Error(err)
	}
}

// The answer would come to a connection that is not there. What becomes of the request nobody knows.
func TestACallThatLosesItsConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, held := make(chan struct{}), make(chan struct{})
	serverConn, clientConn := b.connect(), b.connect()
	final := make(chan error, 1)
	b.serveOn(serverConn, []*natstransport.Server{natstransport.NewServer(unarySpec, func(ctx context.Context, _ *number) (*number, error) {
		close(began)
		<-held
		return &number{}, ctx.Err()
	}, natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { final <- o.Err }))})
	call := client[*number, *number](t, b.connOn(clientConn))
	done := make(chan error)
	go func() {
		_, err := call(t.Context(), &number{})
		done <- err
	}()
	wait(t, began, "the request")
	lose(t, b, serverConn)
	if err := wait(t, done, "the call"); status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want unavailable, and not that it was not sent, have %v", err)
	}
	close(held)
	if err := wait(t, final, "the finalizer"); err != nil {
		t.Errorf("the server goes on, and its answer waits for the connection: have %v", err)
	}
}

func TestAClosedConnectionEndsCalls(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*nats.Conn, *natstransport.Conn){
		"nats":  func(nc *nats.Conn, _ *natstransport.Conn) { nc.Close() },
		"inbox": func(_ *nats.Conn, conn *natstransport.Conn) { _ = conn.Close(); _ = conn.Close() },
	} {
		b := newBroker(t)
		began, _, e := waiting()
		service := b.serve(natstransport.NewServer(unarySpec, e))
		nc := b.connect()
		conn := b.connOn(nc)
		call := client[*number, *number](t, conn)
		patient := client[*number, *number](t, conn, natstransport.ClientWaitForConnection())
		done := make(chan error)
		go func() {
			_, err := call(t.Context(), &number{})
			done <- err
		}()
		wait(t, began, "the request")
		end(nc, conn)
		if err := wait(t, done, "the call"); status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable, have %v", name, err)
		}
		for _, call := range []func(context.Context, *number) (*number, error){call, patient} {
			if _, err := call(t.Context(), &number{}); status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
				t.Errorf("%s: afterwards: want unavailable and not sent, have %v", name, err)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := service.Shutdown(ended); err == nil {
			t.Errorf("%s: want an error of a shutdown that could not wait", name)
		}
	}
}

func TestAClosedConnectionEndsWhatIsServed(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, ended, e := waiting()
	nc := b.connect()
	service := b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, e)},
		natstransport.ServiceErrorHandler(func(string, error) {}))
	if err := b.connect().PublishRequest("numbers.Double", "nobody", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	wait(t, began, "the request")
	nc.Close()
	if err := wait(t, ended, "the end of its context"); !errors.Is(err, context.Canceled) {
		t.Errorf("want canceled, have %v", err)
	}
	if err := service.Shutdown(deadline(t)); err != nil {
		t.Errorf("shutting down afterwards: %v", err)
	}
}

// Whoever closes the connection to NATS needs not close the Conn: TestMain finds nothing of it.
func TestAConnEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	nc := newBroker(t).connect()
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if _, err := client[*number, *number](t, conn)(t.Context(), &number{}); status.CodeOf(err) != status.Unavailable {
		t.Errorf("want unavailable, have %v", err)
	}
}

// A service may be there before NATS is.
func TestAServiceWaitsForItsConnection(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.Kill()
	nc := b.connect(nats.RetryOnFailedConnect(true))
	b.serveOn(nc, []*natstransport.Server{natstransport.NewServer(unarySpec, double)})
	conn := b.connOn(b.connect(nats.RetryOnFailedConnect(true)))
	b.Start()
	back(t, nc)
	response, err := client[*number, *number](t, conn, natstransport.ClientWaitForConnection())(deadline(t), &number{3})
	if err != nil || response.N != 6 {
		t.Errorf("want 6, have %v, %v", response, err)
	}
}
