package endpoint_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

func TestFallbackAnswersForWhatFailed(t *testing.T) {
	t.Parallel()
	answer := func(_ context.Context, request string, err error) (int, error) {
		if errors.Is(err, io.EOF) {
			return -len(request), nil
		}
		return 0, err
	}
	for _, row := range []struct {
		name string
		err  error
		want int
		is   error
	}{
		{"success", nil, 4, nil},
		{"an error with an answer", io.EOF, -4, nil},
		{"an error without", io.ErrNoProgress, 0, io.ErrNoProgress},
	} {
		e := endpoint.New(placeSpec, func(_ context.Context, s string) (int, error) { return len(s), row.err }, endpoint.Fallback(answer))
		if have, err := e(t.Context(), "four"); row.want != have || !errors.Is(err, row.is) {
			t.Errorf("%s: want %d, %v; have %d, %v", row.name, row.want, row.is, have, err)
		}
	}
}

func TestFallbackIsNotForACallerThatHasGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e := endpoint.New(placeSpec, func(context.Context, string) (int, error) { cancel(); return 0, io.EOF },
		endpoint.Fallback(func(context.Context, string, error) (int, error) {
			t.Error("called although the caller has gone")
			return 1, nil
		}))
	if _, err := e(ctx, ""); !errors.Is(err, io.EOF) {
		t.Errorf("want %v, have %v", io.EOF, err)
	}
}

func TestFallbackOfOtherTypes(t *testing.T) {
	t.Parallel()
	failing := func(context.Context, string) (int, error) { return 0, io.EOF }
	wrongRequest := endpoint.Fallback(func(context.Context, int, error) (int, error) { return 1, nil })
	_, err := endpoint.New(placeSpec, failing, wrongRequest)(t.Context(), "x")
	if have, ok := errors.AsType[*endpoint.TypeError](err); !ok || !errors.Is(err, io.EOF) || have.Want != "int" || have.Have != "string" {
		t.Errorf("request: want the call's error and both types, have %v", err)
	}
	wrongResponse := endpoint.Fallback(func(context.Context, string, error) (string, error) { return "x", nil })
	_, err = endpoint.New(placeSpec, failing, wrongResponse)(t.Context(), "x")
	if have, ok := errors.AsType[*endpoint.TypeError](err); !ok || have.Want != "int" || have.Have != "string" {
		t.Errorf("response: want both types, have %v", err)
	}
	nilRequest := endpoint.Fallback(func(_ context.Context, r io.Reader, _ error) (bool, error) { return r == nil, nil })
	readers := func(context.Context, io.Reader) (bool, error) { return false, io.EOF }
	if have, err := endpoint.New[io.Reader, bool](placeSpec, readers, nilRequest)(t.Context(), nil); !have || err != nil {
		t.Errorf("a nil interface: want true, have %t, %v", have, err)
	}
}

func TestFallbackLeavesStreams(t *testing.T) {
	t.Parallel()
	fallback := endpoint.Fallback(func(context.Context, string, error) (string, error) {
		t.Error("called for a stream")
		return "", nil
	})
	broken := func(yield func(string, error) bool) { yield("", io.ErrUnexpectedEOF) }
	if _, err := collect(t.Context(), endpoint.NewStream(placeSpec, echo, fallback), broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("want %v, have %v", io.ErrUnexpectedEOF, err)
	}
}
