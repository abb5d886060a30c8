package grpctransport_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// boom panics with a text that nobody but the log may see.
func boom() { panic("postgres://admin:hunter2@db") }

// panicking returns options and endpoints with a panic at the named place.
func panicking(place string) (opts []grpctransport.ServerOption, server []grpc.ServerOption, e endpoint.Endpoint[*request, *response], s endpoint.Stream[*ask, *answer]) {
	e, s = echo, echoes
	switch place {
	case "endpoint":
		e = func(context.Context, *request) (*response, error) { boom(); return &response{}, nil }
		s = func(context.Context, asks, func(*answer) error) error { boom(); return nil }
	case "before":
		opts = append(opts, grpctransport.ServerBefore(func(ctx context.Context) context.Context { boom(); return ctx }))
	case "after":
		opts = append(opts, grpctransport.ServerAfter(func(context.Context) { boom() }))
	case "middleware":
		opts = append(opts, grpctransport.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
			return func(context.Context, any) (any, error) { boom(); return nil, nil }
		}))
	case "interceptor":
		server = append(server, grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			boom()
			return "", nil
		}))
		s = func(context.Context, asks, func(*answer) error) error { boom(); return nil }
	case "inside of an interceptor":
		server = append(server, grpc.UnaryInterceptor(func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, r)
		}))
		e = func(context.Context, *request) (*response, error) { boom(); return &response{}, nil }
		s = func(_ context.Context, in asks, _ func(*answer) error) error {
			for range in {
				boom()
			}
			return nil
		}
	}
	return opts, server, e, s
}

func TestPanicsAreReportedAsWhatTheyWere(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"endpoint", "before", "after", "middleware", "interceptor", "inside of an interceptor"} {
		var seen notes
		opts, server, e, s := panicking(place)
		outcomes := make(chan error, 2)
		opts = append(opts,
			grpctransport.ServerErrorHandler(func(_ context.Context, err error) { seen.add("%s", status.As(err).ID) }),
			grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }))
		address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(server...)),
			grpctransport.NewServer(unarySpec, e, opts...), grpctransport.NewStreamServer(talkSpec, s, opts...))
		conn := dial(t, address)
		out, _ := collect()
		_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
		for kind, err := range map[string]error{"unary": err, "stream": newStreamClient[*ask, *answer](t, talkSpec, conn)(t.Context(), endpoint.Seq(askOf("a")), out)} {
			if shown := cross(t, err); shown.Code != status.Internal || shown.ID == "" || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, %s: want internal with an ID and nothing else, have %v", place, kind, err)
			}
			outcome := receive(t, outcomes)
			caught, ok := errors.AsType[*endpoint.PanicError](outcome)
			if !ok || !strings.Contains(caught.Error(), "hunter2") || !strings.Contains(string(caught.Stack), "panic_test.go") {
				t.Errorf("%s, %s: want the panic with its stack in the outcome, have %v", place, kind, outcome)
			}
		}
		if ids := seen.take(); len(ids) != 2 || ids[0] == "" {
			t.Errorf("%s: want two errors handled, have %q", place, ids)
		}
	}
}

func TestRecoverWorksOnStreamsOverGRPC(t *testing.T) {
	t.Parallel()
	var seen notes
	s := endpoint.NewStream(talkSpec, func(context.Context, asks, func(*answer) error) error { boom(); return nil }, endpoint.Recover())
	call := talk(t, s, []grpctransport.ServerOption{grpctransport.ServerErrorHandler(func(_ context.Context, err error) { seen.add("%v", errors.Unwrap(err)) })})
	if err := call(t.Context(), endpoint.Seq(askOf("a")), nil); status.CodeOf(err) != status.Internal {
		t.Errorf("want internal, have %v", err)
	}
	wantTexts(t, []string{"panic: postgres://admin:hunter2@db"}, seen.take())
}

// A panic of a hook that runs last cannot change the answer, and must not end the process.
//
//nolint:paralleltest // it changes the standard logger
func TestPanicsOfFinalizersAndHandlersAreContained(t *testing.T) {
	var text bytes.Buffer
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	ran := make(chan struct{}, 2)
	opts := []grpctransport.ServerOption{
		grpctransport.ServerErrorHandler(func(context.Context, error) { panic("in the handler") }),
		grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) { panic("in the finalizer") }),
		grpctransport.ServerFinalizer(func(context.Context, grpctransport.Outcome) { ran <- struct{}{} }),
	}
	for name, call := range failing(t, func() error { return status.New(status.NotFound, "none") }, opts...) {
		if err := call(); status.CodeOf(err) != status.NotFound {
			t.Errorf("%s: want not found, have %v", name, err)
		}
		receive(t, ran)
		if have := text.String(); !strings.Contains(have, "panic: in the handler") || !strings.Contains(have, "panic: in the finalizer") {
			t.Errorf("%s: want both panics in the log, have %s", name, have)
		}
	}
}

func TestAPanicOfAClientReachesItsCallerAfterTheFinalizers(t *testing.T) {
	t.Parallel()
	var outcome error
	call := unary(t, echo, nil,
		grpctransport.ClientDecoder(func(context.Context, *response) (*response, error) { panic("in the decoder") }),
		grpctransport.ClientFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcome = o.Err }))
	wantPanic(t, "in the decoder", func() { _, _ = call(t.Context(), &request{}) })
	if _, ok := errors.AsType[*endpoint.PanicError](outcome); !ok {
		t.Errorf("want the panic in the outcome, have %v", outcome)
	}
}

//nolint:paralleltest // it changes the standard logger
func TestErrorsAreLoggedOnceAndOnlyWithoutAHandler(t *testing.T) {
	var text bytes.Buffer
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	ignore := grpctransport.ServerErrorHandler(func(context.Context, error) {})
	for name, tt := range map[string]struct {
		err  error
		opts []grpctransport.ServerOption
		want int
	}{
		"hidden":                 {errors.New("hunter2"), nil, 1},
		"hidden, with a handler": {errors.New("hunter2"), []grpctransport.ServerOption{ignore}, 0},
		"written to be shown":    {status.New(status.NotFound, "none"), nil, 0},
		"shown with an ID":       {&status.Error{Code: status.NotFound, ID: "1"}, nil, 0},
		"of the context":         {context.DeadlineExceeded, nil, 0},
	} {
		for kind, call := range failing(t, func() error { return tt.err }, tt.opts...) {
			text.Reset()
			err := call()
			have := text.String()
			if strings.Count(have, service) != tt.want || tt.want > 0 && (!strings.Contains(have, cross(t, err).ID) || !strings.Contains(have, "hunter2")) {
				t.Errorf("%s, %s: want %d lines, have %q", name, kind, tt.want, have)
			}
		}
	}
}

func TestAnEndpointThatEndsItsGoroutineIsAnInternalError(t *testing.T) {
	t.Parallel()
	intercepted := grpc.UnaryInterceptor(func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return next(ctx, r)
	})
	for name, s := range map[string]*grpc.Server{
		"Ashlar's": grpctransport.NewGRPCServer().Server, "grpc-go's": grpc.NewServer(), "intercepted": grpc.NewServer(intercepted),
	} {
		outcomes := make(chan error, 1)
		opt := grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })
		grpctransport.Register(s,
			grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) { runtime.Goexit(); return &response{}, nil }, opt),
			grpctransport.NewStreamServer(talkSpec, func(context.Context, asks, func(*answer) error) error { runtime.Goexit(); return nil }, opt))
		conn := dial(t, serve(t, s))
		call, stream := newClient[*request, *response](t, unarySpec, conn), newStreamClient[*ask, *answer](t, talkSpec, conn)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		for kind, run := range map[string]func() error{
			"unary":  func() error { _, err := call(ctx, &request{}); return err },
			"stream": func() error { return stream(ctx, untilDone(ctx), nil) },
		} {
			for range 3 { // the server goes on
				err, outcome := run(), receive(t, outcomes)
				if want := "the endpoint did not return"; status.CodeOf(err) != status.Internal || status.As(err).Message != want || status.CodeOf(outcome) != status.Internal {
					t.Errorf("%s, %s: want %q, have %v and the outcome %v", name, kind, want, err, outcome)
				}
			}
		}
		cancel()
	}
}

// breaking panics in the stream of a generated server.
type breaking struct{ generated }

func (breaking) FullDuplexCall(grpc.BidiStreamingServer[ask, answer]) error { boom(); return nil }

// A stream runs on a goroutine of its own, and an interceptor outside of that recovers its panics all the same.
//
//nolint:paralleltest // it changes the standard logger
func TestAnInterceptorRecoversThePanicOfAGeneratedStream(t *testing.T) {
	var text bytes.Buffer
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	s := grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.StreamInterceptor(
		func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
			defer func() {
				if value := recover(); value == "postgres://admin:hunter2@db" {
					err = grpcstatus.Error(codes.DataLoss, "recovered")
				}
			}()
			return next(srv, stream)
		})))
	testpb.RegisterTestServiceServer(s, breaking{})
	err := newStreamClient[*ask, *answer](t, talkSpec, dial(t, serve(t, s.Server)))(t.Context(), untilDone(t.Context()), nil)
	if status.CodeOf(err) != status.DataLoss {
		t.Errorf("want what the interceptor made of the panic, have %v", err)
	}
	if have := text.String(); !strings.Contains(have, "/grpc.testing.TestService/FullDuplexCall: panic: postgres") || !strings.Contains(have, "panic_test.go") {
		t.Errorf("want the panic and its stack in the log, have %q", have)
	}
}

// A hook or an out of a client may end its goroutine, as t.FailNow does.
func TestFinalizersOfAClientSeeThatItsGoroutineEnded(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 2)
	opt := grpctransport.ClientFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })
	call := unary(t, echo, nil, opt, grpctransport.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context { runtime.Goexit(); return ctx }))
	stream := talk(t, echoes, nil, opt)
	for name, run := range map[string]func(){
		"unary": func() { _, _ = call(t.Context(), &request{}) },
		"stream": func() {
			_ = stream(t.Context(), endpoint.Seq(askOf("a")), func(*answer) error { runtime.Goexit(); return nil })
		},
	} {
		go run()
		if have := receive(t, outcomes); status.CodeOf(have) != status.Internal {
			t.Errorf("%s: want internal, have %v", name, have)
		}
	}
}

func TestAFinalizerOfAClientThatPanicsRunsOnce(t *testing.T) {
	t.Parallel()
	ran := 0
	call := unary(t, echo, nil, grpctransport.ClientFinalizer(func(context.Context, grpctransport.Outcome) { ran++; panic("in the finalizer") }))
	wantPanic(t, "in the finalizer", func() { _, _ = call(t.Context(), &request{}) })
	if ran != 1 {
		t.Errorf("want 1 run, have %d", ran)
	}
}
