package inproc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

// failing are calls, unary and streaming, as they are and copied, to a server that does what f does.
func failing(t *testing.T, f func() error, opts ...inproc.ServerOption) map[string]func() error {
	t.Helper()
	calls := make(map[string]func() error)
	for name, client := range map[string][]inproc.ClientOption{"": nil, ", copied": {inproc.ClientCopy(json.New())}} {
		e := unary(t, func(context.Context, *number) (*number, error) { return &number{}, f() }, opts, client...)
		s := stream(t, func(ctx context.Context, in inSeq, out func(*number) error) error {
			if err := echo(ctx, in, out); err != nil {
				return err
			}
			return f()
		}, opts, client...)
		calls["unary"+name] = func() error {
			have, err := e(t.Context(), &number{})
			if err != nil && have != nil {
				t.Errorf("want no response with an error, have %v", have)
			}
			return err
		}
		calls["stream"+name] = func() error {
			return s(t.Context(), endpoint.Seq(&number{}), func(*number) error { return nil })
		}
	}
	return calls
}

func TestEveryCodeCrosses(t *testing.T) {
	t.Parallel()
	for code := status.Canceled; code.Valid(); code++ {
		detail, err := status.NewDetail("numbers.Detail", 7)
		if err != nil {
			t.Fatal(err)
		}
		sentinel := status.Errorf(code, "message of %v", code).WithReason("REASON").WithRetryAfter(time.Second).
			WithViolations(status.Violation{Field: "n", Description: "odd"}).WithDetails(detail)
		sent := sentinel.WithCause(errors.New("a secret"))
		for name, call := range failing(t, func() error { return fmt.Errorf("wrapped: %w", sent) }) {
			err := call()
			have, ok := err.(*status.Error) //nolint:errorlint // the error itself is meant
			if !ok || !reflect.DeepEqual(sentinel, have) {
				t.Errorf("%s: want %#v, have %#v", name, sentinel, err)
				continue
			}
			if !errors.Is(err, sentinel) || have == sentinel {
				t.Errorf("%s: want an equal error that is not the server's", name)
			}
			have.Violations[0].Field, have.Details[0].Value[0] = "changed", '8'
			if sent.Violations[0].Field != "n" || sent.Details[0].Value[0] != '7' {
				t.Fatalf("%s: the sides share memory", name)
			}
		}
	}
}

func TestOnlyWhatWasWrittenToBeShownCrosses(t *testing.T) {
	t.Parallel()
	const secret = "postgres://shop:hunter2@db"
	var handled, finalized error
	opts := []inproc.ServerOption{
		inproc.ServerErrorHandler(func(_ context.Context, err error) { handled = err }),
		inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { finalized = o.Err }),
	}
	for name, call := range failing(t, func() error { return errors.New(secret) }, opts...) {
		handled, finalized = nil, nil
		err := call()
		have := status.As(err)
		if have == nil || have.Code != status.Internal || have.ID == "" || have.Cause != nil || strings.Contains(fmt.Sprintf("%+v", have), secret) {
			t.Errorf("%s: want a hidden internal error with an ID, have %v", name, err)
			continue
		}
		for where, seen := range map[string]error{"handler": handled, "finalizer": finalized} {
			e := status.As(seen)
			if e == nil || e.ID != have.ID || !strings.Contains(e.Error(), secret) {
				t.Errorf("%s: %s: want the ID and the true text, have %v", name, where, seen)
			}
		}
	}
}

func deepPanic() { panic("secret of the stack") }

func TestAPanicIsContainedAndReportedAsWhatItWas(t *testing.T) {
	t.Parallel()
	hook := inproc.ServerBefore(func(context.Context) context.Context { deepPanic(); return nil })
	after := inproc.ServerAfter(func(context.Context) { deepPanic() })
	mw := inproc.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { deepPanic(); return nil, nil }
	})
	for where, row := range map[string]struct {
		f    func() error
		opts []inproc.ServerOption
	}{
		"the endpoint":   {func() error { deepPanic(); return nil }, nil},
		"a before hook":  {func() error { return nil }, []inproc.ServerOption{hook}},
		"an after hook":  {func() error { return nil }, []inproc.ServerOption{after}},
		"the middleware": {func() error { return nil }, []inproc.ServerOption{mw}},
	} {
		var handled, finalized error
		opts := append(row.opts,
			inproc.ServerErrorHandler(func(_ context.Context, err error) { handled = err }),
			inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { finalized = o.Err }))
		for name, call := range failing(t, row.f, opts...) {
			handled, finalized = nil, nil
			err := call()
			if have := status.As(err); have == nil || have.Code != status.Internal || have.ID == "" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, %s: want a hidden internal error with an ID, have %v", where, name, err)
			}
			caught, ok := errors.AsType[*endpoint.PanicError](handled)
			if !ok || caught.Value != "secret of the stack" || !bytes.Contains(caught.Stack, []byte("deepPanic")) {
				t.Errorf("%s, %s: want the panic with its stack, have %v", where, name, handled)
			}
			if handled != finalized { //nolint:errorlint // the same error is meant
				t.Errorf("%s, %s: finalizer: want %v, have %v", where, name, handled, finalized)
			}
		}
	}
}

//nolint:paralleltest // the standard logger is one for the whole process
func TestWithoutAHandlerHiddenErrorsAreLogged(t *testing.T) {
	var logged bytes.Buffer
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
	if !strings.Contains(logged.String(), "inproc_test.deepPanic") {
		t.Errorf("want the stack of a panic in the log, have %q", logged.String())
	}
	logged.Reset()
	for name, call := range failing(t, func() error { return status.New(status.NotFound, "no") }) {
		if err := call(); logged.Len() > 0 {
			t.Errorf("%s: %v was written to be shown, have it logged: %q", name, err, logged.String())
		}
	}
}

func TestACallToNobodyIsUnimplemented(t *testing.T) {
	t.Parallel()
	var mux inproc.Mux
	call, err := inproc.NewClient[*number, *number](unarySpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t.Context(), &number{}); status.CodeOf(err) != status.Unimplemented || !strings.Contains(err.Error(), "numbers/Double") {
		t.Errorf("want unimplemented with the operation, have %v", err)
	}
	mux.Handle(inproc.NewServer(unarySpec, double))
	if have, err := call(t.Context(), &number{2}); err != nil || have.N != 4 {
		t.Errorf("a server added later: want 4, have %v, %v", have, err)
	}
}

func TestTypesThatDifferAreNamed(t *testing.T) {
	t.Parallel()
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(unarySpec, double), inproc.NewStreamServer(streamSpec, echo))
	call, err := inproc.NewClient[string, int](unarySpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	talk, err := inproc.NewStreamClient[string, int](streamSpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	_, unaryErr := call(t.Context(), "x")
	for operation, err := range map[string]error{"numbers/Double": unaryErr, "numbers/Echo": talk(t.Context(), nil, nil)} {
		if status.CodeOf(err) != status.Internal {
			t.Errorf("want internal, have %v", err)
		}
		for _, want := range []string{operation, "string and int", "*inproc_test.number and *inproc_test.number", "ClientCopy"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("want %q in %v", want, err)
			}
		}
	}
}

func TestShapesThatDifferAreUnimplemented(t *testing.T) {
	t.Parallel()
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(unarySpec, double), inproc.NewStreamServer(streamSpec, echo))
	call, err := inproc.NewClient[*number, *number](streamSpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t.Context(), &number{}); status.CodeOf(err) != status.Unimplemented || !strings.Contains(err.Error(), "bidirectional") {
		t.Errorf("unary to a stream: want unimplemented, have %v", err)
	}
	talk, err := inproc.NewStreamClient[*number, *number](unarySpec, &mux)
	if err != nil {
		t.Fatal(err)
	}
	if err := talk(t.Context(), nil, nil); status.CodeOf(err) != status.Unimplemented || !strings.Contains(err.Error(), "unary") {
		t.Errorf("stream to unary: want unimplemented, have %v", err)
	}
}

// hostile is an error that panics when it is asked for what it wraps.
type hostile struct{ inner error }

func (h *hostile) Error() string { return h.inner.Error() }
func (h *hostile) Unwrap() error { return h.inner }

//nolint:paralleltest // it changes the standard logger
func TestAnErrorThatPanicsIsInternal(t *testing.T) {
	var text bytes.Buffer
	log.SetOutput(&text)
	defer log.SetOutput(os.Stderr)
	for name, call := range failing(t, func() error { return (*hostile)(nil) }) {
		text.Reset()
		if err := call(); status.CodeOf(err) != status.Internal {
			t.Errorf("%s: want internal, have %v", name, err)
		}
		if !strings.Contains(text.String(), "an error of type *inproc_test.hostile panicked") {
			t.Errorf("%s: want the panic in the log, have %q", name, text.String())
		}
	}
}
