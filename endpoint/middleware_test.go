package endpoint_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

var placeSpec = endpoint.Spec{Service: "orders", Method: "Place"}

// trace notes when it is built, and when it is called on the way in and out.
type trace struct {
	mu    sync.Mutex
	notes []string
}

func (t *trace) notef(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *trace) take() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	notes := t.notes
	t.notes = nil
	return notes
}

func (t *trace) middleware(name string) endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		t.notef("build %s for %s, %v, %v", name, spec.Operation(), spec.Kind, spec.Side)
		return func(ctx context.Context, request any) (any, error) {
			t.notef("%s>", name)
			defer t.notef("<%s", name)
			return next(ctx, request)
		}
	}
}

func length(_ context.Context, request string) (int, error) { return len(request), nil }

func echo(_ context.Context, in iter.Seq2[string, error], out func(string) error) error {
	for message, err := range in {
		if err != nil {
			return err
		}
		if err := out(message); err != nil {
			return err
		}
	}
	return nil
}

func TestTheFirstMiddlewareIsTheOutermost(t *testing.T) {
	t.Parallel()
	for name, mw := range map[string]func(a, b, c endpoint.Middleware) []endpoint.Middleware{
		"a list": func(a, b, c endpoint.Middleware) []endpoint.Middleware { return []endpoint.Middleware{a, b, c} },
		"a chain": func(a, b, c endpoint.Middleware) []endpoint.Middleware {
			return []endpoint.Middleware{endpoint.Chain(a, b, c)}
		},
		"a chain in a list": func(a, b, c endpoint.Middleware) []endpoint.Middleware {
			return []endpoint.Middleware{a, endpoint.Chain(b, c)}
		},
		"chains in a chain": func(a, b, c endpoint.Middleware) []endpoint.Middleware {
			return []endpoint.Middleware{endpoint.Chain(endpoint.Chain(a, b), endpoint.Chain(c))}
		},
	} {
		var tr trace
		e := endpoint.New(placeSpec, length, mw(tr.middleware("a"), tr.middleware("b"), tr.middleware("c"))...)
		want := []string{"build c for orders/Place, unary, server", "build b for orders/Place, unary, server", "build a for orders/Place, unary, server"}
		if have := tr.take(); !slices.Equal(want, have) {
			t.Errorf("%s: built: want %v, have %v", name, want, have)
		}
		for range 2 {
			if have, err := e(t.Context(), "four"); have != 4 || err != nil {
				t.Errorf("%s: want 4, have %d, %v", name, have, err)
			}
			if want, have := "a> b> c> <c <b <a", strings.Join(tr.take(), " "); want != have {
				t.Errorf("%s: called: want %s, have %s", name, want, have)
			}
		}
	}
}

func TestMiddlewareIsBuiltOncePerEndpoint(t *testing.T) {
	t.Parallel()
	var tr trace
	s := endpoint.NewStream(endpoint.Spec{Service: "orders", Method: "Watch"}.Client(), echo, tr.middleware("a"))
	if want, have := []string{"build a for orders/Watch, bidirectional, client"}, tr.take(); !slices.Equal(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if have, err := s.Unary(t.Context(), "x"); have != "x" || err != nil {
				t.Errorf("want x, have %s, %v", have, err)
			}
		})
	}
	wg.Wait()
	for _, note := range tr.take() {
		if note != "a>" && note != "<a" {
			t.Errorf("during calls: have %q", note)
		}
	}
}

// A stream middleware runs around the whole stream, once, also when no message is ever sent.
func TestStreamMiddlewareRunsOnceAlsoForAnEmptyStream(t *testing.T) {
	t.Parallel()
	var tr trace
	s := endpoint.NewStream(placeSpec, echo, tr.middleware("a"))
	tr.take()
	for _, messages := range [][]string{nil, {"x"}, {"x", "y", "z"}} {
		count := 0
		err := s(t.Context(), endpoint.Seq(messages...), func(string) error { count++; return nil })
		if err != nil || count != len(messages) {
			t.Errorf("want %d messages, have %d, %v", len(messages), count, err)
		}
		if want, have := "a> <a", strings.Join(tr.take(), " "); want != have {
			t.Errorf("%d messages: want %q, have %q", len(messages), want, have)
		}
	}
}

// One value serves unary and stream, client and server, and every type.
func TestOneMiddlewareServesEverything(t *testing.T) {
	t.Parallel()
	var calls []endpoint.Spec
	common := endpoint.Middleware(func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			calls = append(calls, spec)
			return next(ctx, request)
		}
	})
	var want []endpoint.Spec
	for _, spec := range []endpoint.Spec{placeSpec.Server(), placeSpec.Client()} {
		if have, err := endpoint.New(spec, length, common)(t.Context(), "four"); have != 4 || err != nil {
			t.Errorf("%v: want 4, have %d, %v", spec.Side, have, err)
		}
		double := func(_ context.Context, n *int) (*int, error) { m := 2 * *n; return &m, nil }
		if have, err := endpoint.New(spec, double, common)(t.Context(), new(21)); err != nil || *have != 42 {
			t.Errorf("%v: want 42, have %v, %v", spec.Side, have, err)
		}
		if have, err := endpoint.NewStream(spec, echo, common).Unary(t.Context(), "x"); have != "x" || err != nil {
			t.Errorf("%v: want x, have %s, %v", spec.Side, have, err)
		}
		unary, stream := spec, spec
		unary.Kind, stream.Kind = endpoint.Unary, endpoint.Bidirectional
		want = append(want, unary, unary, stream)
	}
	if !slices.Equal(want, calls) {
		t.Errorf("want %v, have %v", want, calls)
	}
}

func TestMistakesInTheProgramPanicWhenBuilt(t *testing.T) {
	t.Parallel()
	pass := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler { return next }
	void := func(endpoint.Spec, endpoint.Handler) endpoint.Handler { return nil }
	stream := placeSpec
	stream.Kind = endpoint.ServerStream
	unknown := placeSpec
	unknown.Kind = 5
	unary := placeSpec
	unary.Kind = endpoint.Unary
	for _, row := range []struct {
		name string
		f    func()
		want string
	}{
		{"New of a stream", func() { endpoint.New(stream, length) }, "server stream; use NewStream"},
		{"New of nil", func() { endpoint.New[int, int](placeSpec, nil) }, "nil Endpoint"},
		{"New with a nil middleware", func() { endpoint.New(placeSpec, length, pass, nil) }, "middleware 1 is nil"},
		{"New with a middleware that returns nil", func() { endpoint.New(placeSpec, length, void) }, "middleware 0 returned a nil Handler"},
		{"NewStream of nil", func() { endpoint.NewStream[int, int](placeSpec, nil) }, "nil Stream"},
		{"NewStream of a unary kind", func() { endpoint.NewStream(unary, echo) }, "unary; use New"},
		{"NewStream of no known kind", func() { endpoint.NewStream(unknown, echo) }, "unknown kind 5"},
		{"NewStream with a nil middleware", func() { endpoint.NewStream(placeSpec, echo, nil) }, "middleware 0 is nil"},
		{"Chain with nil", func() { endpoint.New(placeSpec, length, endpoint.Chain(pass, pass, nil)) }, "is nil"},
		{"Chain of nil", func() { endpoint.New(placeSpec, length, endpoint.Chain(nil)) }, "middleware 0 is nil"},
		{"Timeout of nothing", func() { endpoint.Timeout(0) }, "Timeout of 0s"},
	} {
		func() {
			defer func() {
				have := fmt.Sprint(recover())
				if !strings.Contains(have, row.want) {
					t.Errorf("%s: want a panic with %q, have %q", row.name, row.want, have)
				}
				if strings.HasPrefix(row.name, "New") && !strings.Contains(have, "orders/Place") {
					t.Errorf("%s: want the operation in %q", row.name, have)
				}
			}()
			row.f()
		}()
	}
}
