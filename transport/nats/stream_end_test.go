package natstransport_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// talking is a stream that notes what its context, in and out come to.
type talking struct {
	began   chan struct{}
	ended   chan error // the cause of the context's end, at that
	in, out chan error
	serve   endpoint.Stream[*number, *number]
}

func newTalking() *talking {
	s := &talking{began: make(chan struct{}, 1), ended: make(chan error, 9), in: make(chan error, 9), out: make(chan error, 9)}
	s.serve = func(ctx context.Context, in inSeq, out func(*number) error) error {
		s.began <- struct{}{}
		<-ctx.Done()
		s.ended <- context.Cause(ctx)
		var last error
		for _, err := range in {
			last = err
		}
		s.in <- last
		s.out <- out(&number{})
		return nil // though it failed
	}
	return s
}

func TestTheStreamEndsWhenTheClientGivesUp(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want status.Code
	}{
		"canceled": {context.WithCancel, status.Canceled},
		"late": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, status.DeadlineExceeded},
	} {
		s := newTalking()
		final := make(chan error, 1)
		call := stream(t, s.serve, []natstransport.ServerOption{
			natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { final <- o.Err }),
		})
		ctx, cancel := end.ctx(t.Context())
		go func() {
			<-s.began
			if end.want == status.Canceled {
				cancel()
			}
		}()
		held := make(chan struct{})
		err := call(ctx, func(func(*number, error) bool) { <-held }, func(*number) error { return nil })
		close(held)
		if status.CodeOf(err) != end.want {
			t.Errorf("%s: want %v, have %v", name, end.want, err)
		}
		for what, err := range map[string]error{
			"the context": wait(t, s.ended, "the context"), "in": wait(t, s.in, "in"), "out": wait(t, s.out, "out"),
			"the finalizer": wait(t, final, "the finalizer"),
		} {
			if status.CodeOf(err) != end.want {
				t.Errorf("%s: %s: want %v, have %v", name, what, end.want, err)
			}
		}
		cancel()
	}
}

func TestWhatInEndsWithIsReturned(t *testing.T) {
	t.Parallel()
	for want, in := range map[error]inSeq{
		io.ErrUnexpectedEOF: func(yield func(*number, error) bool) { yield(nil, io.ErrUnexpectedEOF) },
		status.New(status.Aborted, "x"): func(yield func(*number, error) bool) {
			_ = yield(&number{}, nil) && yield(nil, status.New(status.Aborted, "x"))
		},
		errors.New("panic: of in"): func(func(*number, error) bool) { panic("of in") },
	} {
		s := newTalking()
		call := stream(t, s.serve, nil)
		err := call(deadline(t), in, func(*number) error { return nil })
		if panicked, ok := errors.AsType[*endpoint.PanicError](err); ok {
			if panicked.Error() != want.Error() || status.CodeOf(err) != status.Internal {
				t.Errorf("want the panic %v, have %v", want, err)
			}
		} else if !errors.Is(err, want) {
			t.Errorf("want %v, have %v", want, err)
		}
		wait(t, s.began, "the stream")
		if err := wait(t, s.ended, "its end"); status.CodeOf(err) != status.Canceled {
			t.Errorf("server: want canceled, have %v", err)
		}
	}
}

func TestAnErrorOfOutStopsTheStream(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	call := stream(t, func(_ context.Context, _ inSeq, out func(*number) error) error {
		for {
			if err := out(&number{}); err != nil {
				ended <- err
				return err
			}
		}
	}, nil)
	held := make(chan struct{})
	defer close(held)
	in := func(func(*number, error) bool) { <-held }                                                            // the call does not wait for it
	if err := call(deadline(t), in, func(*number) error { return io.ErrShortWrite }); err != io.ErrShortWrite { //nolint:errorlint // the error itself
		t.Errorf("want the error as it is, have %v", err)
	}
	if err := wait(t, ended, "the server's out"); status.CodeOf(err) != status.Canceled {
		t.Errorf("server: want canceled, have %v", err)
	}
	func() {
		defer func() {
			if have := recover(); have != "in out" {
				t.Errorf("want the panic of out, have %v", have)
			}
		}()
		_ = call(deadline(t), in, func(*number) error { panic("in out") })
	}()
	if err := wait(t, ended, "the server's out"); status.CodeOf(err) != status.Canceled {
		t.Errorf("server: want canceled, have %v", err)
	}
}

// The server may end the stream while the client still has messages.
func TestTheCallReturnsThoughInDoesNot(t *testing.T) {
	t.Parallel()
	call := stream(t, func(context.Context, inSeq, func(*number) error) error { return nil }, nil)
	held, done := make(chan struct{}), make(chan bool, 1)
	in := func(yield func(*number, error) bool) {
		<-held
		done <- yield(&number{}, nil)
	}
	if err := call(t.Context(), in, func(*number) error { return nil }); err != nil {
		t.Error(err)
	}
	close(held)
	if wait(t, done, "in") {
		t.Error("want that in is told to end")
	}
	endless := func(yield func(*number, error) bool) {
		for yield(&number{}, nil) {
			continue
		}
	}
	if err := call(t.Context(), endless, func(*number) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAStreamTooManyIsRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	s := newTalking()
	b.serve(natstransport.NewStreamServer(streamSpec, s.serve, natstransport.ServerMaxInFlight(1)))
	conn := b.conn()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	call := streamClient[*number, *number](t, conn)
	go func() { done <- call(ctx, endpoint.Seq[*number](), nil) }()
	wait(t, s.began, "a stream")
	err := call(deadline(t), endpoint.Seq[*number](), nil)
	if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != "OVERLOADED" || !errors.Is(err, transport.ErrNotBegun) {
		t.Errorf("want unavailable, OVERLOADED and transport.ErrNotBegun, have %v", err)
	}
	cancel()
	if err := wait(t, s.ended, "the stream"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
	if err := wait(t, done, "the call"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}

func TestStreamsEndWithTheConnection(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	s := newTalking()
	serverConn, clientConn := b.connect(), b.connect()
	b.serveOn(serverConn, []*natstransport.Server{natstransport.NewStreamServer(streamSpec, s.serve)})
	call := streamClient[*number, *number](t, b.connOn(clientConn))
	done := make(chan error, 1)
	go func() { done <- call(t.Context(), endpoint.Seq[*number](), nil) }()
	wait(t, s.began, "the stream")
	lose(t, b, serverConn, clientConn)
	for what, err := range map[string]error{"client": wait(t, done, "the call"), "server": wait(t, s.ended, "its context")} {
		if status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable, have %v", what, err)
		}
	}
	b.Start()
	back(t, serverConn)
	back(t, clientConn)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- call(ctx, endpoint.Seq[*number](), nil) }()
	wait(t, s.began, "a stream after the outage")
	cancel()
	if err := wait(t, s.ended, "its end"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
	if err := wait(t, done, "the call"); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}

func TestShutdownLetsStreamsGoOnForAWhile(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{0, 100 * time.Millisecond} {
		b := newBroker(t)
		s := newTalking()
		service := b.serveOn(b.connect(), []*natstransport.Server{natstransport.NewStreamServer(streamSpec, s.serve)}, natstransport.ServiceGrace(grace))
		call := streamClient[*number, *number](t, b.conn())
		done := make(chan error, 1)
		go func() { done <- call(t.Context(), endpoint.Seq[*number](), nil) }()
		wait(t, s.began, "the stream")
		start := time.Now()
		if err := service.Shutdown(deadline(t)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < grace {
			t.Errorf("want at least %v, have %v", grace, took)
		}
		for what, err := range map[string]error{"client": wait(t, done, "the call"), "server": wait(t, s.ended, "its context")} {
			if e := status.As(err); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" {
				t.Errorf("%s: want unavailable and SHUTTING_DOWN, have %v", what, err)
			}
		}
	}
}

func TestShutdownForcesStreamsToo(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	began, leave := make(chan struct{}), make(chan struct{})
	service := b.serveOn(b.connect(), []*natstransport.Server{natstransport.NewStreamServer(streamSpec,
		func(context.Context, inSeq, func(*number) error) error {
			close(began)
			<-leave
			return nil
		})}, natstransport.ServiceGrace(time.Hour))
	call := streamClient[*number, *number](t, b.conn())
	done := make(chan error, 1)
	go func() { done <- call(t.Context(), endpoint.Seq[*number](), nil) }()
	wait(t, began, "the stream")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := service.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want the context's error, have %v", err)
	}
	if e := status.As(wait(t, done, "the call")); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" {
		t.Errorf("want unavailable and SHUTTING_DOWN, have %v", e)
	}
	close(leave)
}
