package grpctransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// slow answers when it is released, or when its context ends.
func slow(started chan<- struct{}, release <-chan struct{}) endpoint.Endpoint[*request, *response] {
	return func(ctx context.Context, r *request) (*response, error) {
		started <- struct{}{}
		select {
		case <-release:
			return echo(ctx, r)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// shutdown begins to shut s down, and returns where its error comes.
func shutdown(ctx context.Context, s *grpctransport.GRPCServer, grace time.Duration) <-chan error {
	done := make(chan error, 1)
	go func() { done <- grpctransport.Shutdown(ctx, s, grace) }()
	return done
}

func pending(t testing.TB, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Errorf("the shutdown did not wait, and ended with %v", err)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestShutdownLetsUnaryCallsFinish(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}, 1), make(chan struct{})
	s := grpctransport.NewGRPCServer(grpctransport.GRPCHealth())
	conn := dial(t, start(t, s, grpctransport.NewServer(unarySpec, slow(started, release))))
	call := newClient[*request, *response](t, unarySpec, conn)
	watch, err := grpc_health_v1.NewHealthClient(conn).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	if have, err := watch.Recv(); err != nil || have.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("want SERVING, have %v, %v", have, err)
	}
	answers := make(chan error, 1)
	go func() {
		_, err := call(t.Context(), requestOf("a"))
		answers <- err
	}()
	receive(t, started)
	done := shutdown(t.Context(), s, 100*time.Millisecond)
	if have, err := watch.Recv(); err != nil || have.GetStatus() != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("want NOT_SERVING, have %v, %v", have, err)
	}
	if _, err := watch.Recv(); grpcstatus.Code(err) != codes.Unavailable { // a stream that is not Ashlar's
		t.Errorf("want unavailable, have %v", err)
	}
	pending(t, done)
	if _, err := call(t.Context(), requestOf("b")); status.CodeOf(err) != status.Unavailable {
		t.Errorf("want no further calls, have %v", err)
	}
	close(release)
	if err := receive(t, answers); err != nil {
		t.Errorf("want the call to finish, have %v", err)
	}
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
	if err := grpctransport.Shutdown(t.Context(), s, 0); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestShutdownEndsStreamsAfterTheirGrace(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]endpoint.Stream[*ask, *answer]{
		"reading": echoes,
		"waiting": func(ctx context.Context, _ asks, out func(*answer) error) error {
			err := out(&answer{})
			<-ctx.Done()
			return errors.Join(err, ctx.Err())
		},
		"sending": func(_ context.Context, _ asks, out func(*answer) error) error {
			for {
				if err := out(&answer{Payload: zeros(100_000)}); err != nil {
					return err
				}
			}
		},
		"careless": func(ctx context.Context, _ asks, out func(*answer) error) error {
			_ = out(&answer{}) // it heeds nothing
			<-ctx.Done()
			return nil
		},
	} {
		s := grpctransport.NewGRPCServer()
		outcomes := make(chan error, 1)
		conn := dial(t, start(t, s, grpctransport.NewStreamServer(talkSpec, stream, grpctransport.ServerFinalizer(
			func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }))))
		ended := make(chan error, 1)
		first, more := make(chan struct{}, 1), make(chan struct{})
		go func() {
			ended <- newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), untilDone(t.Context()), func(*answer) error {
				select {
				case first <- struct{}{}:
				default:
				}
				if name == "sending" {
					<-more // so that the server has no room
				}
				return nil
			})
		}()
		receive(t, first)
		began := time.Now()
		const grace = 100 * time.Millisecond
		done := shutdown(t.Context(), s, grace)
		outcome := receive(t, outcomes)
		if e := status.As(outcome); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" {
			t.Errorf("%s: want SHUTTING_DOWN in the outcome, have %v", name, outcome)
		}
		close(more)
		if e := status.As(receive(t, ended)); e == nil || e.Code != status.Unavailable || e.Reason != "SHUTTING_DOWN" {
			t.Errorf("%s: want SHUTTING_DOWN, have %v", name, e)
		}
		if waited := time.Since(began); waited < grace {
			t.Errorf("%s: want a grace of %v, have %v", name, grace, waited)
		}
		if err := receive(t, done); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShutdownLetsStreamsEndInTheirGrace(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer()
	conn := dial(t, start(t, s, grpctransport.NewStreamServer(talkSpec, echoes)))
	var done <-chan error
	err := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(askOf("a")), func(*answer) error {
		done = shutdown(t.Context(), s, time.Hour)
		return nil
	})
	if err != nil {
		t.Errorf("want a clean end, have %v", err)
	}
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

func TestShutdownForcesAtTheEndOfItsContext(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, 2)
	s := grpctransport.NewGRPCServer()
	returned := make(chan struct{}, 2)
	final := grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) { returned <- struct{}{} })
	conn := dial(t, start(t, s, grpctransport.NewServer(unarySpec, slow(started, nil), final),
		grpctransport.NewStreamServer(talkSpec, func(ctx context.Context, _ asks, _ func(*answer) error) error {
			started <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}, final)))
	ends := make(chan error, 2)
	go func() {
		_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
		ends <- err
	}()
	go func() {
		ends <- newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), untilDone(t.Context()), nil)
	}()
	receive(t, started)
	receive(t, started)
	ctx, cancel := context.WithCancel(t.Context())
	done := shutdown(ctx, s, time.Hour)
	pending(t, done)
	cancel()
	if err := receive(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, have %v", context.Canceled, err)
	}
	if len(returned) != 2 {
		t.Errorf("want both handlers to have returned, have %d", len(returned))
	}
	for range 2 {
		if err := receive(t, ends); status.CodeOf(err) != status.Unavailable {
			t.Errorf("want unavailable, have %v", err)
		}
	}
}

// tardy is a stream that needs a while to return when its context has ended.
func tardy(started chan<- struct{}, returned *atomic.Bool) endpoint.Stream[*ask, *answer] {
	return func(ctx context.Context, _ asks, _ func(*answer) error) error {
		started <- struct{}{}
		<-ctx.Done()
		<-time.After(200 * time.Millisecond)
		returned.Store(true)
		return ctx.Err()
	}
}

func TestShutdownAndStopWaitForHandlersThatTakeTheirTime(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*grpctransport.GRPCServer){
		"Shutdown": func(s *grpctransport.GRPCServer) {
			if err := grpctransport.Shutdown(t.Context(), s, 0); err != nil {
				t.Error(err)
			}
		},
		"Stop": func(s *grpctransport.GRPCServer) { s.Stop() },
	} {
		var returned atomic.Bool
		started, ended := make(chan struct{}, 1), make(chan error, 1)
		s := grpctransport.NewGRPCServer()
		conn := dial(t, start(t, s, grpctransport.NewStreamServer(talkSpec, tardy(started, &returned))))
		go func() {
			ended <- newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), untilDone(t.Context()), nil)
		}()
		receive(t, started)
		if end(s); !returned.Load() {
			t.Errorf("%s did not wait", name)
		}
		if err := receive(t, ended); status.CodeOf(err) != status.Unavailable {
			t.Errorf("%s: want unavailable, have %v", name, err)
		}
	}
}

func TestAServerKeepsWorkers(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer()
	defer s.Stop()
	own := make([]byte, 64)
	own, _, _ = bytes.Cut(own[:runtime.Stack(own, false)], []byte(" [")) // "goroutine 7"
	all := make([]byte, 16<<20)
	all = all[:runtime.Stack(all, true)]
	if have := bytes.Count(all, fmt.Appendf(nil, "initServerWorkers in %s\n", own)); have != grpctransport.DefaultStreamWorkers {
		t.Errorf("want %d goroutines, have %d", grpctransport.DefaultStreamWorkers, have)
	}
}

// A server that was given away can be stopped as one of grpc-go.
func TestStopEndsEverything(t *testing.T) {
	t.Parallel()
	s := grpctransport.NewGRPCServer()
	conn := dial(t, start(t, s, grpctransport.NewStreamServer(talkSpec, echoes)))
	err := newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), untilDone(t.Context()), func(*answer) error {
		go s.Stop()
		return nil
	})
	if have := cross(t, err); have.Code != status.Unavailable || have.Message != "the connection broke during a call of "+talkSpec.Operation() {
		t.Errorf("want unavailable without a text of grpc-go, have %v", err)
	}
}

// Streams occupy workers; calls that find none free are served all the same.
func TestCallsAreServedWhileStreamsOccupyAllWorkers(t *testing.T) {
	t.Parallel()
	const streams = 4 * grpctransport.DefaultStreamWorkers
	conn := dial(t, start(t, grpctransport.NewGRPCServer(), interop()...))
	client := testpb.NewTestServiceClient(conn)
	var open []grpc.BidiStreamingClient[ask, answer]
	for range streams {
		stream, err := client.FullDuplexCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(sized(1)); err != nil {
			t.Fatal(err)
		}
		open = append(open, stream)
	}
	for _, stream := range open {
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); err != nil {
		t.Error(err)
	}
}
