package endpoint_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

// hooks is a middleware with hooks for both directions.
func hooks(in, out func(any) error) endpoint.Middleware {
	return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			m := request.(*endpoint.Messages) //nolint:forcetypeassert // a failure is a failed test
			return next(ctx, m.WithHooks(in, out))
		}
	}
}

// collect calls s with the messages, and returns what it sent.
func collect(ctx context.Context, s endpoint.Stream[string, string], in iter.Seq2[string, error]) ([]string, error) {
	var sent []string
	err := s(ctx, in, func(message string) error {
		sent = append(sent, message)
		return nil
	})
	return sent, err
}

func TestHooksSeeEachMessageInOrder(t *testing.T) {
	t.Parallel()
	var notes []string
	noting := func(name string) func(any) error {
		return func(message any) error {
			notes = append(notes, name+message.(string)) //nolint:forcetypeassert // a failure is a failed test
			return nil
		}
	}
	upper := func(_ context.Context, in iter.Seq2[string, error], out func(string) error) error {
		for message := range in {
			if err := out(strings.ToUpper(message)); err != nil {
				return err
			}
		}
		return nil
	}
	s := endpoint.NewStream(placeSpec, upper,
		hooks(noting("outer in "), noting("outer out ")), hooks(nil, nil), hooks(noting("inner in "), noting("inner out ")))
	for range 2 {
		notes = nil
		have, err := collect(t.Context(), s, endpoint.Seq("a", "b"))
		if want := []string{"A", "B"}; err != nil || !slices.Equal(want, have) {
			t.Errorf("want %v, have %v, %v", want, have, err)
		}
		want := []string{
			"outer in a", "inner in a", "inner out A", "outer out A",
			"outer in b", "inner in b", "inner out B", "outer out B",
		}
		if !slices.Equal(want, notes) {
			t.Errorf("want %v, have %v", want, notes)
		}
	}
}

func TestAHooksErrorEndsIn(t *testing.T) {
	t.Parallel()
	refused, inner := errors.New("refused"), 0
	s := endpoint.NewStream(placeSpec, echo,
		hooks(func(message any) error {
			if message == "b" {
				return refused
			}
			return nil
		}, nil),
		hooks(func(any) error { inner++; return nil }, nil))
	have, err := collect(t.Context(), s, endpoint.Seq("a", "b", "c"))
	if want := []string{"a"}; !errors.Is(err, refused) || !slices.Equal(want, have) || inner != 1 {
		t.Errorf("want %v, one message further in and the error; have %v, %d, %v", want, have, inner, err)
	}
	reads := 0
	stubborn := func(_ context.Context, in iter.Seq2[string, error], _ func(string) error) error {
		for range in {
			reads++
		}
		return nil
	}
	fail := hooks(func(any) error { return refused }, nil)
	if _, err := collect(t.Context(), endpoint.NewStream(placeSpec, stubborn, fail), endpoint.Seq("a", "b")); err != nil || reads != 1 {
		t.Errorf("a Stream that goes on reading: want one pair, have %d, %v", reads, err)
	}
}

func TestAHooksErrorIsReturnedInsteadOfSending(t *testing.T) {
	t.Parallel()
	refused, outer := errors.New("refused"), 0
	s := endpoint.NewStream(placeSpec, echo,
		hooks(nil, func(any) error { outer++; return nil }),
		hooks(nil, func(any) error { return refused }))
	have, err := collect(t.Context(), s, endpoint.Seq("a"))
	if !errors.Is(err, refused) || have != nil || outer != 0 {
		t.Errorf("want the error and nothing sent, have %v, %d, %v", have, outer, err)
	}
}

func TestHooksDoNotSeeWhatIsNoMessage(t *testing.T) {
	t.Parallel()
	var seen []any
	broken := func(yield func(string, error) bool) {
		_ = yield("a", nil) && yield("half", io.ErrUnexpectedEOF)
	}
	s := endpoint.NewStream(placeSpec, echo, hooks(func(message any) error { seen = append(seen, message); return nil }, nil))
	if _, err := collect(t.Context(), s, broken); !errors.Is(err, io.ErrUnexpectedEOF) || !slices.Equal(seen, []any{"a"}) {
		t.Errorf("want the error and a alone, have %v, %v", err, seen)
	}
}

func TestAStreamMayStopReading(t *testing.T) {
	t.Parallel()
	ended := false
	in := func(yield func(string, error) bool) {
		defer func() { ended = true }()
		for yield("x", nil) {
		}
	}
	one := endpoint.FromServerStream(func(_ context.Context, request string, send func(string) error) error { return send(request) })
	s := endpoint.NewStream(placeSpec, one, hooks(func(any) error { return nil }, func(any) error { return nil }))
	if have, err := collect(t.Context(), s, in); err != nil || !slices.Equal(have, []string{"x"}) || !ended {
		t.Errorf("want x and in ended, have %v, %t, %v", have, ended, err)
	}
}

// A retry outside calls next again, with the Messages that it was given.
func TestHooksAreThoseOfOneCallOfNext(t *testing.T) {
	t.Parallel()
	twice := func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			_, _ = next(ctx, request)
			return next(ctx, request)
		}
	}
	count := 0
	hook := func(any) error { count++; return nil }
	spec := placeSpec
	spec.Kind = endpoint.Bidirectional
	s := endpoint.NewStream(spec, echo, twice, hooks(hook, nil))
	if err := s(t.Context(), endpoint.Seq("a"), func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if count != 2 {
		t.Errorf("want each of two messages once, have %d", count)
	}
}
