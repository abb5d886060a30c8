package natstransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/msgpack"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

func TestEveryCodeCrosses(t *testing.T) {
	t.Parallel()
	var sent error
	calls := failing(t, func() error { return fmt.Errorf("wrapped: %w", sent) })
	for code := status.Canceled; code.Valid(); code++ {
		detail, err := status.NewDetail("numbers.Detail", 7)
		if err != nil {
			t.Fatal(err)
		}
		sentinel := status.Errorf(code, "message of %v,\nin two lines", code).WithReason("REASON").WithRetryAfter(time.Second).
			WithViolations(status.Violation{Field: "n", Description: "odd"}).WithDetails(detail)
		sent = sentinel.WithCause(errors.New("a secret"))
		for name, call := range calls {
			err := call()
			have, ok := err.(*status.Error) //nolint:errorlint // the error itself is meant
			if !ok || !reflect.DeepEqual(sentinel, have) {
				t.Errorf("%s: want %#v, have %#v", name, sentinel, err)
			}
		}
	}
}

// Any NATS client sees that an answer is an error, and what it says.
func TestErrorsAreThoseOfMicroServices(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) {
		return nil, status.New(status.NotFound, "no such\r\nnumber")
	}))
	m, err := b.connect().Request("numbers.Double", []byte(`{"N":1}`), limit)
	if err != nil {
		t.Fatal(err)
	}
	want := nats.Header{
		"Nats-Service-Error": {"no such number"}, "Nats-Service-Error-Code": {"404"}, "Content-Type": {"application/problem+json"},
	}
	if !reflect.DeepEqual(want, m.Header) || !strings.Contains(string(m.Data), `"code":"not_found"`) {
		t.Errorf("want %v, have %v %s", want, m.Header, m.Data)
	}
}

func TestErrorsOfMicroServicesAreUnderstood(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	var header nats.Header
	server := b.connect()
	if _, err := server.Subscribe("numbers.Double", func(m *nats.Msg) {
		if err := m.RespondMsg(&nats.Msg{Header: header, Data: []byte("{}")}); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	call := client[*number, *number](t, b.conn())
	for code, want := range map[string]status.Code{"404": status.NotFound, "500": status.Internal, "BAD": status.Unknown, "200": status.Unknown, "": status.Unknown} {
		header = nats.Header{"Nats-Service-Error": {"what it says"}}
		if code != "" {
			header["Nats-Service-Error-Code"] = []string{code}
		}
		if _, err := call(deadline(t), &number{}); status.CodeOf(err) != want || !strings.Contains(err.Error(), "what it says") {
			t.Errorf("%q: want %v, have %v", code, want, err)
		}
	}
}

func TestOnlyWhatWasWrittenToBeShownCrosses(t *testing.T) {
	t.Parallel()
	const secret = "postgres://shop:hunter2@db"
	handled, finalized := make(chan error, 1), make(chan error, 1)
	opts := []natstransport.ServerOption{
		natstransport.ServerErrorHandler(func(_ context.Context, err error) { handled <- err }),
		natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { finalized <- o.Err }),
	}
	for name, call := range failing(t, func() error { return errors.New(secret) }, opts...) {
		err := call()
		have := status.As(err)
		if have == nil || have.Code != status.Internal || have.ID == "" || have.Cause != nil || strings.Contains(fmt.Sprintf("%+v", have), secret) {
			t.Errorf("%s: want a hidden internal error with an ID, have %v", name, err)
			continue
		}
		for where, seen := range map[string]chan error{"handler": handled, "finalizer": finalized} {
			e := status.As(wait(t, seen, where))
			if e == nil || e.ID != have.ID || !strings.Contains(e.Error(), secret) {
				t.Errorf("%s: %s: want the ID and the true text, have %v", name, where, e)
			}
		}
	}
}

func deepPanic() { panic("secret of the stack") }

func TestAPanicIsContainedAndReportedAsWhatItWas(t *testing.T) {
	t.Parallel()
	hook := natstransport.ServerBefore(func(context.Context) context.Context { deepPanic(); return nil })
	after := natstransport.ServerAfter(func(context.Context) { deepPanic() })
	mw := natstransport.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { deepPanic(); return nil, nil }
	})
	for where, row := range map[string]struct {
		f    func() error
		opts []natstransport.ServerOption
	}{
		"the endpoint":   {func() error { deepPanic(); return nil }, nil},
		"a before hook":  {func() error { return nil }, []natstransport.ServerOption{hook}},
		"an after hook":  {func() error { return nil }, []natstransport.ServerOption{after}},
		"the middleware": {func() error { return nil }, []natstransport.ServerOption{mw}},
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			handled, finalized := make(chan error, 1), make(chan error, 1)
			opts := append(row.opts,
				natstransport.ServerErrorHandler(func(_ context.Context, err error) { handled <- err }),
				natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { finalized <- o.Err }))
			for name, call := range failing(t, row.f, opts...) {
				err := call()
				if have := status.As(err); have == nil || have.Code != status.Internal || have.ID == "" || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: want a hidden internal error with an ID, have %v", name, err)
				}
				seen := wait(t, handled, "the error handler")
				caught, ok := errors.AsType[*endpoint.PanicError](seen)
				if !ok || caught.Value != "secret of the stack" || !bytes.Contains(caught.Stack, []byte("deepPanic")) {
					t.Errorf("%s: want the panic with its stack, have %v", name, seen)
				}
				if final := wait(t, finalized, "the finalizer"); final != seen { //nolint:errorlint // the same error is meant
					t.Errorf("%s: finalizer: want %v, have %v", name, seen, final)
				}
			}
		})
	}
}

// What reports a panic may panic itself, and the client is answered all the same.
//
//nolint:paralleltest // the standard logger is one for the whole process
func TestHooksThatPanicAtTheEndDoNoHarm(t *testing.T) {
	var logged lockedBuffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	final := make(chan error, 1)
	for where, opts := range map[string][]natstransport.ServerOption{
		"an error handler": {
			natstransport.ServerErrorHandler(func(context.Context, error) { panic("in the handler") }),
			natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { final <- o.Err }),
		},
		"a finalizer": {natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) {
			final <- o.Err
			panic("in the finalizer")
		})},
	} {
		for name, call := range failing(t, func() error { return status.New(status.NotFound, "no") }, opts...) {
			for range 3 {
				if err := call(); status.CodeOf(err) != status.NotFound && status.CodeOf(err) != status.Internal {
					t.Errorf("%s, %s: want an answer, have %v", where, name, err)
				}
				if err := wait(t, final, "the finalizer"); err == nil {
					t.Errorf("%s, %s: want the error in the finalizer", where, name)
				}
			}
		}
	}
	eventually(t, "the panic of a finalizer in the log", func() bool { return strings.Contains(logged.String(), "in the finalizer") })
}

//nolint:paralleltest // the standard logger is one for the whole process
func TestWithoutAHandlerHiddenErrorsAreLogged(t *testing.T) {
	var logged lockedBuffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	for name, call := range failing(t, func() error { return errors.New("true text") }) {
		logged.Reset()
		have := status.As(call())
		for _, want := range []string{"numbers/", have.ID, "true text"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("%s: want %q in the log, have %q", name, want, logged.String())
			}
		}
	}
	logged.Reset()
	for _, call := range failing(t, func() error { deepPanic(); return nil }) {
		_ = call()
	}
	if !strings.Contains(logged.String(), "nats_test.deepPanic") {
		t.Errorf("want the stack of a panic in the log, have %q", logged.String())
	}
	logged.Reset()
	for name, call := range failing(t, func() error { return status.New(status.NotFound, "no") }) {
		if err := call(); logged.String() != "" {
			t.Errorf("%s: %v was written to be shown, have it logged: %q", name, err, logged.String())
		}
	}
}

func TestAnEndpointThatEndsItsGoroutineIsAnInternalError(t *testing.T) {
	t.Parallel()
	final := make(chan error, 1)
	calls := failing(t, func() error { runtime.Goexit(); return nil },
		natstransport.ServerFinalizer(func(_ context.Context, o natstransport.Outcome) { final <- o.Err }))
	for name, call := range calls {
		for range 3 { // the server goes on
			if err := call(); status.CodeOf(err) != status.Internal {
				t.Errorf("%s: want internal, have %v", name, err)
			}
			if err := wait(t, final, "the finalizer"); status.CodeOf(err) != status.Internal {
				t.Errorf("%s: finalizer: want internal, have %v", name, err)
			}
		}
	}
}

func TestACallToNobodyIsUnavailableAtOnce(t *testing.T) {
	t.Parallel()
	conn := newBroker(t).conn()
	for name, call := range calls(t, conn) {
		err := call(t.Context())
		if status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) || status.As(err).Reason != "NO_RESPONDERS" ||
			!strings.Contains(err.Error(), "nobody serves numbers/") {
			t.Errorf("%s: want unavailable, NO_RESPONDERS and not sent, have %v", name, err)
		}
	}
}

// empty is a codec that makes nothing of anything.
type empty struct{ codec.Codec }

func (empty) Append(dst []byte, _ any) ([]byte, error) { return dst, nil }
func (empty) Decode([]byte, any) error                 { return nil }

// What an endpoint sets is not taken for the word of NATS that nobody serves it.
func TestAStatusThatTheEndpointSetsIsAHeaderField(t *testing.T) {
	t.Parallel()
	set := func(ctx context.Context) { transport.FromContext(ctx).Trailer.Set("Status", "503") }
	b := newBroker(t)
	b.serve(
		natstransport.NewServer(unarySpec, func(ctx context.Context, request *number) (*number, error) {
			set(ctx)
			return request, nil
		}, natstransport.ServerCodecs(empty{msgpack.New()})),
		natstransport.NewStreamServer(streamSpec, func(ctx context.Context, _ inSeq, _ func(*number) error) error {
			set(ctx)
			return nil
		}, natstransport.ServerCodecs(empty{msgpack.New()})))
	for name, call := range calls(t, b.conn(), natstransport.ClientCodecs(empty{msgpack.New()})) {
		ctx, observer := transport.Observe(deadline(t))
		if err := call(ctx); err != nil || observer.Info().Trailer.Get("Status") != "503" {
			t.Errorf("%s: want the field, have %v, %v", name, observer.Info().Trailer, err)
		}
	}
}
