package endpoint_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// panicking panics with v, somewhere that a stack should name.
func panicking(v any) { panic(v) }

func TestRecover(t *testing.T) {
	t.Parallel()
	next := func(v any) map[string]func(...endpoint.Middleware) error {
		inIn := func(func(string, error) bool) { panicking(v) }
		return map[string]func(...endpoint.Middleware) error{
			"unary": func(mw ...endpoint.Middleware) error {
				have, err := endpoint.New(placeSpec, func(context.Context, string) (int, error) { panicking(v); return 1, nil }, mw...)(t.Context(), "x")
				if have != 0 {
					t.Errorf("unary: want no response, have %d", have)
				}
				return err
			},
			"stream": func(mw ...endpoint.Middleware) error {
				s := func(context.Context, iter.Seq2[string, error], func(string) error) error { panicking(v); return nil }
				return endpoint.NewStream(placeSpec, s, mw...)(t.Context(), endpoint.Seq[string](), nil)
			},
			"in of a stream": func(mw ...endpoint.Middleware) error {
				return endpoint.NewStream(placeSpec, echo, mw...)(t.Context(), inIn, nil)
			},
			"out of a stream": func(mw ...endpoint.Middleware) error {
				return endpoint.NewStream(placeSpec, echo, mw...)(t.Context(), endpoint.Seq("x"), func(string) error { panicking(v); return nil })
			},
			"a hook of a stream": func(mw ...endpoint.Middleware) error {
				mw = append(mw, hooks(func(any) error { panicking(v); return nil }, nil))
				return endpoint.NewStream(placeSpec, echo, mw...)(t.Context(), endpoint.Seq("x"), nil)
			},
			"a middleware inside": func(mw ...endpoint.Middleware) error {
				inner := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
					return func(context.Context, any) (any, error) { panicking(v); return nil, nil }
				}
				_, err := endpoint.New(placeSpec, length, append(mw, inner)...)(t.Context(), "x")
				return err
			},
		}
	}
	for _, row := range []struct {
		name, text string
		value      any
	}{
		{"a text", "secret of the stack", "secret of the stack"},
		{"an error", "secret", errors.New("secret")},
		{"a status", "not_found: secret", status.New(status.NotFound, "secret")},
		{"a context's error", "context canceled", context.Canceled},
		{"nil", new(runtime.PanicNilError).Error(), nil},
	} {
		for where, call := range next(row.value) {
			err := call(endpoint.Recover())
			if e := status.From(err); e.Code != status.Internal || e.ID == "" || strings.Contains(e.Message, "secret") {
				t.Errorf("%s in %s: want a hidden internal error with an ID, have %v", row.name, where, e)
			}
			caught, ok := errors.AsType[*endpoint.PanicError](err)
			if !ok {
				t.Errorf("%s in %s: want a PanicError, have %v", row.name, where, err)
				continue
			}
			if !bytes.Contains(caught.Stack, []byte("endpoint_test.panicking")) {
				t.Errorf("%s in %s: want the stack of the panic, have %s", row.name, where, caught.Stack)
			}
			if want, have := "panic: "+row.text, caught.Error(); !strings.HasPrefix(have, want) {
				t.Errorf("%s in %s: want %q, have %q", row.name, where, want, have)
			}
			if nilErr := new(runtime.PanicNilError); row.value == nil && errors.As(err, &nilErr) {
				t.Errorf("%s in %s: a PanicError unwraps to its value", row.name, where)
			}
		}
	}
}

func TestRecoverPassesWhatDoesNotPanic(t *testing.T) {
	t.Parallel()
	e := endpoint.New(placeSpec, length, endpoint.Recover())
	if have, err := e(t.Context(), "four"); have != 4 || err != nil {
		t.Errorf("want 4, have %d, %v", have, err)
	}
	gone := status.New(status.NotFound, "gone")
	e = endpoint.New(placeSpec, func(context.Context, string) (int, error) { return 2, gone }, endpoint.Recover())
	if have, err := e(t.Context(), "four"); have != 2 || err != gone { //nolint:errorlint // untouched
		t.Errorf("want 2 and the same error, have %d, %v", have, err)
	}
}
