package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

// replace is a middleware that passes on a request and a response of its own where they are set.
func replace(request, response func() any) endpoint.Middleware {
	return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, have any) (any, error) {
			if request != nil {
				have = request()
			}
			result, err := next(ctx, have)
			if response != nil {
				result = response()
			}
			return result, err
		}
	}
}

func value(v any) func() any { return func() any { return v } }

func TestAWrongTypeIsAnErrorThatNamesBoth(t *testing.T) {
	t.Parallel()
	pointer := func(_ context.Context, s *string) (*int, error) { return new(len(*s)), nil }
	readers := func(_ context.Context, r io.Reader) (io.Reader, error) { return r, nil }
	for _, row := range []struct {
		name string
		call func(mw endpoint.Middleware) error
		mw   endpoint.Middleware
		want endpoint.TypeError
	}{
		{"a request", call(length, "x"), replace(value(7), nil), endpoint.TypeError{Role: "request", Want: "string", Have: "int"}},
		{"a nil request", call(length, "x"), replace(value(nil), nil), endpoint.TypeError{Role: "request", Want: "string", Have: "<nil>"}},
		{"a response", call(length, "x"), replace(nil, value("x")), endpoint.TypeError{Role: "response", Want: "int", Have: "string"}},
		{"no response", call(length, "x"), replace(nil, value(nil)), endpoint.TypeError{Role: "response", Want: "int", Have: "<nil>"}},
		{"a value for a pointer", call(pointer, new("x")), replace(value("x"), nil), endpoint.TypeError{Role: "request", Want: "*string", Have: "string"}},
		{"a nil for a pointer", call(pointer, new("x")), replace(nil, value(nil)), endpoint.TypeError{Role: "response", Want: "*int", Have: "<nil>"}},
		{"no reader", call[io.Reader](readers, nil), replace(value(7), nil), endpoint.TypeError{Role: "request", Want: "io.Reader", Have: "int"}},
		{"no stream", stream(echo), replace(value("x"), nil), endpoint.TypeError{Role: "request", Want: "*endpoint.Messages", Have: "string"}},
		{"a nil stream", stream(echo), replace(value((*endpoint.Messages)(nil)), nil), endpoint.TypeError{Role: "request", Want: "*endpoint.Messages", Have: "*endpoint.Messages"}},
	} {
		row.want.Operation = "orders/Place"
		have, ok := errors.AsType[*endpoint.TypeError](row.call(row.mw))
		if !ok || row.want != *have {
			t.Errorf("%s: want %+v, have %+v", row.name, row.want, have)
		}
	}
	err := &endpoint.TypeError{Operation: "orders/Place", Role: "request", Want: "string", Have: "int"}
	if want, have := "endpoint: orders/Place: a middleware passed on a request of type int, want string", err.Error(); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}

func call[Req, Resp any](e endpoint.Endpoint[Req, Resp], request Req) func(endpoint.Middleware) error {
	return func(mw endpoint.Middleware) error {
		_, err := endpoint.New(placeSpec, e, mw)(context.Background(), request)
		return err
	}
}

func stream(s endpoint.Stream[string, string]) func(endpoint.Middleware) error {
	return func(mw endpoint.Middleware) error {
		return endpoint.NewStream(placeSpec, s, mw)(context.Background(), endpoint.Seq("x"), func(string) error { return nil })
	}
}

// The messages of one stream in the place of another's are refused, whatever their types.
func TestTheMessagesOfAnotherStreamAreRefused(t *testing.T) {
	t.Parallel()
	var kept any
	keep := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			kept = request
			return next(ctx, request)
		}
	}
	numbers := endpoint.Endpoint[int, int](func(_ context.Context, n int) (int, error) { return n, nil }).Stream()
	if _, err := endpoint.NewStream(placeSpec, numbers, keep).Unary(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	err := stream(echo)(replace(func() any { return kept }, nil))
	if have, ok := errors.AsType[*endpoint.TypeError](err); !ok || have.Want == have.Have {
		t.Errorf("want a TypeError with two types, have %v", err)
	}
}

func TestNilInterfacesPass(t *testing.T) {
	t.Parallel()
	pass := replace(nil, nil)
	readers := func(_ context.Context, r io.Reader) (io.Reader, error) { return r, nil }
	if have, err := endpoint.New[io.Reader, io.Reader](placeSpec, readers, pass)(t.Context(), nil); have != nil || err != nil {
		t.Errorf("want nil, nil; have %v, %v", have, err)
	}
	anything := func(_ context.Context, v any) (any, error) { return v, nil }
	if have, err := endpoint.New[any, any](placeSpec, anything, pass)(t.Context(), nil); have != nil || err != nil {
		t.Errorf("want nil, nil; have %v, %v", have, err)
	}
	pointers := func(_ context.Context, v *int) (*int, error) { return v, nil }
	if have, err := endpoint.New(placeSpec, pointers, pass)(t.Context(), nil); have != nil || err != nil {
		t.Errorf("want nil, nil; have %v, %v", have, err)
	}
}

func TestAnErrorPassesWithItsResponse(t *testing.T) {
	t.Parallel()
	partial := func(context.Context, string) (int, error) { return 3, fmt.Errorf("half: %w", io.ErrUnexpectedEOF) }
	e := endpoint.New(placeSpec, partial, replace(nil, nil))
	if have, err := e(t.Context(), "x"); have != 3 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("want 3 and the error, have %d, %v", have, err)
	}
	e = endpoint.New(placeSpec, partial, replace(nil, value(nil)))
	if have, err := e(t.Context(), "x"); have != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a middleware dropped the response: want 0 and the error, have %d, %v", have, err)
	}
}
