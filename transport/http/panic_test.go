package httptransport_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// boom panics with a text that nobody but the log may see.
func boom() { panic("postgres://admin:hunter2@db") }

// panicking returns options and an endpoint with a panic at the named place.
func panicking(place string) ([]httptransport.ServerOption, endpoint.Endpoint[*pair, *total]) {
	e := endpoint.Endpoint[*pair, *total](add)
	switch place {
	case "endpoint":
		return nil, func(context.Context, *pair) (*total, error) { boom(); return nil, nil }
	case "decoder":
		return []httptransport.ServerOption{httptransport.ServerDecoder(func(context.Context, *http.Request) (*pair, error) { boom(); return nil, nil })}, e
	case "encoder":
		return []httptransport.ServerOption{httptransport.ServerEncoder(func(context.Context, http.ResponseWriter, *total) error { boom(); return nil })}, e
	case "before":
		return []httptransport.ServerOption{httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context { boom(); return ctx })}, e
	case "after":
		return []httptransport.ServerOption{httptransport.ServerAfter(func(context.Context, http.ResponseWriter) { boom() })}, e
	case "middleware":
		return []httptransport.ServerOption{httptransport.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
			return func(context.Context, any) (any, error) { boom(); return nil, nil }
		})}, e
	}
	panic("no such place: " + place)
}

func TestPanicsAreReportedAsWhatTheyWere(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"endpoint", "decoder", "encoder", "before", "after", "middleware"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			opts, e := panicking(place)
			var outcome httptransport.Outcome
			opts = append(opts, httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcome = o }))
			srv, logged := start(t, handler("POST /x", e, opts...))
			_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
			shown := status.As(err)
			if shown == nil || shown.Code != status.Internal || shown.ID == "" || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("want internal with an id and nothing else, have %v", err)
			}
			caught, ok := errors.AsType[*endpoint.PanicError](outcome.Err)
			if !ok || !strings.Contains(caught.Error(), "hunter2") || !strings.Contains(string(caught.Stack), "panic_test.go") {
				t.Errorf("want the panic with its stack in the outcome, have %v", outcome.Err)
			}
			if outcome.Status != http.StatusInternalServerError {
				t.Errorf("want status 500 in the outcome, have %d", outcome.Status)
			}
			text := logged()
			if strings.Count(text, shown.ID) != 1 || strings.Count(text, "hunter2") != 1 || !strings.Contains(text, "panic_test.go") {
				t.Errorf("want the panic with the id %s and its stack in the log, once, have %s", shown.ID, text)
			}
		})
	}
}

func TestErrorsAreLoggedOnceAndOnlyWithoutAHandler(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		err     error
		handler bool
		want    int // times in the log
	}{
		{"hidden", errors.New("hunter2"), false, 1},
		{"hidden, with a handler", errors.New("hunter2"), true, 0},
		{"written to be shown", status.New(status.NotFound, "none"), false, 0},
		{"of the context", context.DeadlineExceeded, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var opts []httptransport.ServerOption
			var seen []error
			if tt.handler {
				hook := func(_ context.Context, err error) { seen = append(seen, err) }
				opts = append(opts, httptransport.ServerErrorHandler(hook), httptransport.ServerErrorHandler(hook))
			}
			srv, logged := start(t, handler("POST /x", failing(tt.err), opts...))
			_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
			if err == nil {
				t.Fatal("want an error")
			}
			if have := strings.Count(logged(), "orders/Place"); have != tt.want {
				t.Errorf("want %d lines, have %q", tt.want, logged())
			}
			if !tt.handler {
				return
			}
			if len(seen) != 2 || !reflect.DeepEqual(seen[0], seen[1]) || !errors.Is(seen[0], tt.err) || status.As(seen[0]).ID != status.As(err).ID {
				t.Errorf("want the error with its cause and the caller's id at each handler, have %v", seen)
			}
		})
	}
}

func TestErrAbortHandlerPassesThrough(t *testing.T) {
	t.Parallel()
	var outcome httptransport.Outcome
	h := handler("POST /x", func(context.Context, *pair) (*total, error) { panic(http.ErrAbortHandler) },
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcome = o }))
	func() {
		defer func() {
			if have := recover(); have != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				t.Errorf("want %v, have %v", http.ErrAbortHandler, have)
			}
		}()
		ask(h, "POST", "/x", "{}")
	}()
	if outcome.Status != 0 || !errors.Is(outcome.Err, http.ErrAbortHandler) {
		t.Errorf("outcome: %+v", outcome)
	}
	srv, logged := start(t, h)
	_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
	if status.CodeOf(err) != status.Unavailable || logged() != "" {
		t.Errorf("want unavailable and nothing in the log, have %v, %q", err, logged())
	}
}

func TestFinalizersRunWhateverPanics(t *testing.T) {
	t.Parallel()
	ran := 0
	h := handler("POST /x", failing(errors.New("x")),
		httptransport.ServerErrorHandler(func(context.Context, error) { panic("in the handler") }),
		httptransport.ServerFinalizer(func(context.Context, *http.Request, httptransport.Outcome) { ran++ }))
	func() {
		defer func() { _ = recover() }()
		ask(h, "POST", "/x", "{}")
	}()
	if ran != 1 {
		t.Errorf("want the finalizer run once, have %d", ran)
	}
}

func TestAPanicAfterTheFirstByteCutsTheConnection(t *testing.T) {
	t.Parallel()
	url, outcome := writing(t, func(w http.ResponseWriter) error {
		_, _ = w.Write([]byte("x"))
		panic("late")
	})
	if response, body, err := fetch(t, url); err == nil {
		t.Errorf("want an incomplete response, have %v %q", response, body)
	}
	if _, ok := errors.AsType[*endpoint.PanicError]((<-outcome).Err); !ok {
		t.Error("want the panic in the outcome")
	}
}

func TestAPanicOfAClientReachesItsCallerAfterTheFinalizers(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", add))
	var outcome httptransport.Outcome
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x",
		httptransport.ClientDecoder(func(context.Context, *http.Response) (*total, error) { panic("in the decoder") }),
		httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { outcome = o }))
	wantPanic(t, "in the decoder", func() { _, _ = c(t.Context(), &pair{}) })
	if _, ok := errors.AsType[*endpoint.PanicError](outcome.Err); !ok || outcome.Status != http.StatusOK {
		t.Errorf("want the panic and the status in the outcome, have %+v", outcome)
	}
}
