package jsonrpc_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// boom panics with a text that nobody but the log may see.
func boom() { panic("postgres://admin:hunter2@db") }

type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { boom(); return nil, nil }
func (*bomb) UnmarshalJSON([]byte) error  { boom(); return nil }

// panicking returns a server of the method "panic" that does so at the named place.
func panicking(place string, opts ...jsonrpc.ServerOption) *jsonrpc.Server {
	spec := named("panic")
	e := func(context.Context, any) (int, error) { return 0, nil }
	switch place {
	case "endpoint":
		return jsonrpc.NewServer(spec, func(context.Context, any) (int, error) { boom(); return 0, nil }, opts...)
	case "abort":
		return jsonrpc.NewServer(spec, func(context.Context, any) (int, error) { panic(http.ErrAbortHandler) }, opts...)
	case "decode":
		return jsonrpc.NewServer(spec, func(context.Context, []bomb) (int, error) { return 0, nil }, opts...)
	case "encode":
		return jsonrpc.NewServer(spec, func(context.Context, any) (bomb, error) { return bomb{}, nil }, opts...)
	case "before":
		return jsonrpc.NewServer(spec, e, append(opts, jsonrpc.ServerBefore(func(ctx context.Context, _ *jsonrpc.Request) context.Context { boom(); return ctx }))...)
	case "after":
		return jsonrpc.NewServer(spec, e, append(opts, jsonrpc.ServerAfter(func(context.Context, transport.Header) { boom() }))...)
	case "middleware":
		return jsonrpc.NewServer(spec, e, append(opts, jsonrpc.ServerMiddleware(func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
			return func(context.Context, any) (any, error) { boom(); return nil, nil }
		}))...)
	}
	panic("no such place: " + place)
}

func TestAPanicOfOneCallHurtsNoOther(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"endpoint", "abort", "decode", "encode", "before", "after", "middleware"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			var outcome jsonrpc.Outcome
			finalizer := jsonrpc.ServerFinalizer(func(_ context.Context, _ *jsonrpc.Request, o jsonrpc.Outcome) { outcome = o })
			conn, logged := start(t, jsonrpc.NewHandler(set(panicking(place, finalizer))))
			b := newBatcher(t, conn).Batch()
			panics, add := newMethod[[]int, int](t, "panic"), newMethod[[]int, int](t, "sum")
			first, middle, last := add.Call(b, []int{1, 2}), panics.Call(b, []int{1}), add.Call(b, []int{3, 4})
			if err := b.Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if have, err := first.Get(); have != 3 || err != nil {
				t.Errorf("before it: have %d, %v", have, err)
			}
			if have, err := last.Get(); have != 7 || err != nil {
				t.Errorf("after it: have %d, %v", have, err)
			}
			_, err := middle.Get()
			shown := status.As(err)
			if shown == nil || shown.Code != status.Internal || shown.ID == "" || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("want internal with an id and nothing else, have %v", err)
			}
			caught, ok := errors.AsType[*endpoint.PanicError](outcome.Err)
			if !ok || !strings.Contains(string(caught.Stack), "panic_test.go") || outcome.Code != jsonrpc.CodeInternalError {
				t.Errorf("want the panic with its stack in the outcome, have %+v", outcome)
			}
			said := "hunter2"
			if place == "abort" {
				said = http.ErrAbortHandler.Error()
			}
			if text := logged(); !strings.Contains(text, shown.ID) || !strings.Contains(text, said) || !strings.Contains(text, "panic_test.go") {
				t.Errorf("want the panic with its id and its stack in the log, have %q", text)
			}
			if _, err := newClient[[]int, int](t, conn, "panic")(t.Context(), []int{1}); status.CodeOf(err) != status.Internal {
				t.Errorf("alone: want internal, have %v", err)
			}
		})
	}
}

func TestAHookThatPanicsLeavesAnAnswer(t *testing.T) {
	t.Parallel()
	finalizer := jsonrpc.ServerFinalizer(func(context.Context, *jsonrpc.Request, jsonrpc.Outcome) { boom() })
	handler := jsonrpc.ServerErrorHandler(func(context.Context, error) { boom() })
	nothing := jsonrpc.ServerBefore(func(context.Context, *jsonrpc.Request) context.Context { return nil })
	finalized := false
	last := jsonrpc.ServerFinalizer(func(context.Context, *jsonrpc.Request, jsonrpc.Outcome) { finalized = true })
	servers := []*jsonrpc.Server{
		jsonrpc.NewServer(named("finalizer"), sum, finalizer),
		jsonrpc.NewServer(named("handler"), func(context.Context, []int) (int, error) { return 0, status.New(status.NotFound, "none") }, handler, last),
		jsonrpc.NewServer(named("before"), sum, nothing),
	}
	conn, logged := start(t, jsonrpc.NewHandler(servers, jsonrpc.HandlerErrorHandler(func(context.Context, error) { boom() })))
	b := newBatcher(t, conn).Batch()
	results := map[string]*jsonrpc.Result[int]{}
	for _, name := range []string{"finalizer", "handler", "before", "none"} {
		results[name] = newMethod[[]int, int](t, name).Call(b, []int{1, 2})
	}
	if err := b.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]status.Code{
		"finalizer": status.OK, "handler": status.NotFound, "before": status.Internal, "none": status.Unimplemented,
	} {
		if _, err := results[name].Get(); status.CodeOf(err) != want {
			t.Errorf("%s: want %v, have %v", name, want, err)
		}
	}
	if text := logged(); strings.Count(text, "hunter2") != 3 || !strings.Contains(text, "a ServerBefore hook returned a nil context") || !finalized {
		t.Errorf("want all four panics in the log and the finalizer run, have %t, %s", finalized, text)
	}
}

func TestACallThatEndsItsGoroutineIsAnswered(t *testing.T) {
	t.Parallel()
	exit := jsonrpc.NewServer(named("exit"), func(context.Context, any) (int, error) { runtime.Goexit(); return 0, nil })
	for _, n := range []int{1, 2, jsonrpc.DefaultConcurrency} {
		h := jsonrpc.NewHandler(set(exit), jsonrpc.HandlerConcurrency(n))
		w := post(h, `[{"jsonrpc":"2.0","method":"exit","id":1},{"jsonrpc":"2.0","method":"exit"},{"jsonrpc":"2.0","method":"sum","params":[1],"id":2}]`)
		if !strings.Contains(w.Body.String(), "the endpoint did not return") || !strings.HasSuffix(w.Body.String(), `,{"jsonrpc":"2.0","result":1,"id":2}]`) {
			t.Errorf("%d at a time: have %s", n, w.Body)
		}
	}
}
