package status_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	notFound := status.New(status.NotFound, "no order 7").WithReason("NO_ORDER")
	expired, cancel := context.WithTimeoutCause(t.Context(), -1, nil)
	defer cancel()
	for _, row := range []struct {
		name    string
		err     error
		code    status.Code
		message string
		reason  string
	}{
		{"a status", notFound, status.NotFound, "no order 7", "NO_ORDER"},
		{"a wrapped status", fmt.Errorf("a: %w", fmt.Errorf("b: %w", notFound)), status.NotFound, "no order 7", "NO_ORDER"},
		{"a joined status", errors.Join(io.EOF, notFound), status.NotFound, "no order 7", "NO_ORDER"},
		{"a status before a context's error", errors.Join(context.Canceled, notFound), status.NotFound, "no order 7", "NO_ORDER"},
		{"canceled", context.Canceled, status.Canceled, "the call was canceled", ""},
		{"a wrapped cancellation", fmt.Errorf("a: %w", context.Canceled), status.Canceled, "the call was canceled", ""},
		{"a deadline", expired.Err(), status.DeadlineExceeded, "the deadline was exceeded", ""},
		{"a joined deadline", errors.Join(io.EOF, context.DeadlineExceeded), status.DeadlineExceeded, "the deadline was exceeded", ""},
		{"any other error", io.EOF, status.Internal, "internal error", ""},
		{"OK as an error", status.New(status.OK, "fine"), status.Unknown, "fine", ""},
		{"no code", &status.Error{Message: "fine"}, status.Unknown, "fine", ""},
		{"an invalid code", &status.Error{Code: 99, Message: "odd"}, status.Unknown, "odd", ""},
		{"a wrapped invalid code", fmt.Errorf("a: %w", &status.Error{Code: 99, Message: "odd"}), status.Unknown, "odd", ""},
		{"a nil status", (*status.Error)(nil), status.Internal, "internal error", ""},
	} {
		have := status.From(row.err)
		if have.Code != row.code || have.Message != row.message || have.Reason != row.reason {
			t.Errorf("%s: want %v %q %q, have %v", row.name, row.code, row.message, row.reason, have)
		}
		if code := status.CodeOf(row.err); code != row.code {
			t.Errorf("%s: CodeOf: want %v, have %v", row.name, row.code, code)
		}
		if hidden := row.code == status.Internal; hidden != (have.ID != "") {
			t.Errorf("%s: ID: have %q", row.name, have.ID)
		}
		if row.code != status.Unknown && !errors.Is(have, row.err) && have.Cause != row.err { //nolint:errorlint // identity is the point
			t.Errorf("%s: the original is lost in %v", row.name, have)
		}
	}
}

func TestFromOfNilIsNil(t *testing.T) {
	t.Parallel()
	if have := status.From(nil); have != nil {
		t.Errorf("From: want nil, have %v", have)
	}
	if want, have := status.OK, status.CodeOf(nil); want != have {
		t.Errorf("CodeOf: want %v, have %v", want, have)
	}
	if have := status.Invalid(nil); have != nil {
		t.Errorf("Invalid: want nil, have %v", have)
	}
}

func TestFromOfAStatusIsThatStatus(t *testing.T) {
	t.Parallel()
	e := status.New(status.Aborted, "conflict").WithCause(io.EOF)
	if have := status.From(e); have != e {
		t.Errorf("want the same pointer, have %v", have)
	}
	wrapped := fmt.Errorf("placing: %w", e)
	have := status.From(wrapped)
	if have == e || !errors.Is(e.Cause, io.EOF) {
		t.Error("the wrapped status was changed in place")
	}
	if want := "placing: aborted: conflict: EOF"; want != have.Error() {
		t.Errorf("want %q, have %q", want, have.Error())
	}
}

func TestIDsAreDistinct(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{16}$`)
	seen := make(map[string]bool)
	for range 1000 {
		id := status.From(io.EOF).ID
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("ID %q is malformed or was seen before", id)
		}
		seen[id] = true
	}
}

func BenchmarkFrom(b *testing.B) {
	wrapped := fmt.Errorf("placing: %w", status.New(status.NotFound, "no order 7"))
	b.ReportAllocs()
	for b.Loop() {
		_ = status.From(wrapped)
	}
}

// hostile is an error with methods that need it not to be nil, or panic for another reason.
type hostile struct{ inner error }

func (h *hostile) Error() string { return h.inner.Error() }
func (h *hostile) Unwrap() error { return h.inner }

// picky has an Is or an As that panics.
type picky struct{ is, as bool }

func (picky) Error() string { return "picky" }

func (p picky) Is(error) bool {
	if p.is {
		panic("in Is")
	}
	return false
}

func (p picky) As(any) bool {
	if p.as {
		panic("in As")
	}
	return false
}

func TestAPanicOfAnErrorIsContained(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"Unwrap of a nil pointer", (*hostile)(nil), "an error of type *status_test.hostile panicked: runtime error: invalid memory address"},
		{"wrapped", fmt.Errorf("placing: %w", picky{as: true}), "an error of type *fmt.wrapError panicked: in As"},
		{"Is", picky{is: true}, "an error of type status_test.picky panicked: in Is"},
	} {
		have := status.From(row.err)
		if have.Code != status.Internal || have.Message != "internal error" || have.ID == "" {
			t.Errorf("%s: want internal with an ID, have %v", row.name, have)
		}
		if have.Cause == nil || !strings.HasPrefix(have.Cause.Error(), row.want) {
			t.Errorf("%s: want %q as the cause, have %v", row.name, row.want, have.Cause)
		}
		if code := status.CodeOf(row.err); code != status.Internal {
			t.Errorf("%s: CodeOf: want internal, have %v", row.name, code)
		}
		if e := status.As(row.err); e != nil {
			t.Errorf("%s: As: want nil, have %v", row.name, e)
		}
		want := "unavailable: none: " + row.want
		if have := status.New(status.Unavailable, "none").WithCause(row.err).Error(); row.name != "Is" && !strings.HasPrefix(have, want) {
			t.Errorf("%s: want the text %q, have %q", row.name, want, have)
		}
	}
}
