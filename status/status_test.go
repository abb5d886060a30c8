package status_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/msgpack"
	"github.com/ashlar-go/ashlar/codec/xml"
	"github.com/ashlar-go/ashlar/status"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	full := status.Errorf(status.NotFound, "no order %d", 7).WithReason("NO_ORDER").WithCause(io.EOF)
	for _, row := range []struct {
		err  error
		want string
	}{
		{full, "not_found (NO_ORDER): no order 7: EOF"},
		{status.New(status.Aborted, ""), "aborted"},
		{status.New(status.Aborted, "conflict"), "aborted: conflict"},
		{&status.Error{Code: 40, Message: "odd"}, "code(40): odd"},
		{(*status.Error)(nil), "a nil *status.Error was returned as an error"},
	} {
		if have := row.err.Error(); row.want != have {
			t.Errorf("want %q, have %q", row.want, have)
		}
	}
}

func TestIsFindsByMeaning(t *testing.T) {
	t.Parallel()
	outOfStock := status.New(status.FailedPrecondition, "out of stock").WithReason("OUT_OF_STOCK")
	have := fmt.Errorf("placing: %w", status.New(status.FailedPrecondition, "none left").WithReason("OUT_OF_STOCK"))
	for _, row := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"the same reason", have, outOfStock, true},
		{"the code alone", have, status.New(status.FailedPrecondition, ""), true},
		{"another reason", have, outOfStock.WithReason("CLOSED"), false},
		{"another code", have, status.New(status.NotFound, "").WithReason("OUT_OF_STOCK"), false},
		{"a reason that is not there", status.New(status.FailedPrecondition, "x"), outOfStock, false},
		{"a joined one", errors.Join(io.EOF, have), outOfStock, true},
		{"its cause", outOfStock.WithCause(fmt.Errorf("reading: %w", io.EOF)), io.EOF, true},
		{"no cause", outOfStock, io.EOF, false},
		{"canceled", status.New(status.Canceled, ""), context.Canceled, true},
		{"deadline", status.New(status.DeadlineExceeded, ""), context.DeadlineExceeded, true},
		{"canceled is no deadline", status.New(status.Canceled, ""), context.DeadlineExceeded, false},
		{"another code is not canceled", status.New(status.Aborted, ""), context.Canceled, false},
		{"a nil target", have, (*status.Error)(nil), false},
		{"a nil error", (*status.Error)(nil), context.Canceled, false},
		{"a nil error and a code", (*status.Error)(nil), outOfStock, false},
	} {
		if have := errors.Is(row.err, row.target); row.want != have {
			t.Errorf("%s: want %t, have %t", row.name, row.want, have)
		}
	}
}

func TestAsFindsTheFirst(t *testing.T) {
	t.Parallel()
	first, second := status.New(status.Aborted, "first"), status.New(status.NotFound, "second")
	joined := errors.Join(io.EOF, fmt.Errorf("a: %w", first), second)
	if want, have := first, status.As(joined); want != have {
		t.Errorf("want %v, have %v", want, have)
	}
	var have *status.Error
	if !errors.As(joined, &have) || have != first {
		t.Errorf("errors.As: want %v, have %v", first, have)
	}
	for _, err := range []error{nil, io.EOF, context.Canceled} {
		if have := status.As(err); have != nil {
			t.Errorf("As(%v): want nil, have %v", err, have)
		}
	}
}

func TestWithMethodsLeaveTheOriginal(t *testing.T) {
	t.Parallel()
	detail, err := status.NewDetail("shop.Stock", 3)
	if err != nil {
		t.Fatal(err)
	}
	sentinel := status.New(status.Unavailable, "busy")
	changed := sentinel.WithCause(io.EOF).WithReason("BUSY").WithRetryAfter(time.Second).
		WithViolations(status.Violation{Field: "a"}).WithDetails(detail)
	if !equal(sentinel, status.New(status.Unavailable, "busy")) || sentinel.Cause != nil {
		t.Errorf("the original changed: %#v", sentinel)
	}
	want := &status.Error{
		Code: status.Unavailable, Message: "busy", Reason: "BUSY", RetryAfter: time.Second,
		Violations: []status.Violation{{Field: "a"}}, Details: []status.Detail{detail},
	}
	if !equal(want, changed) || !errors.Is(changed.Cause, io.EOF) {
		t.Errorf("want %#v, have %#v", want, changed)
	}
	if have := sentinel.WithRetryAfter(-time.Second).RetryAfter; have != 0 {
		t.Errorf("negative RetryAfter: want 0, have %v", have)
	}
}

// Two copies that append to the same base must not see each other's violations and details.
func TestAppendingWithMethodsDoNotShareMemory(t *testing.T) {
	t.Parallel()
	base := status.New(status.InvalidArgument, "")
	for i := range 3 {
		base = base.WithViolations(status.Violation{Field: fmt.Sprint(i)})
		base = base.WithDetails(status.Detail{Type: fmt.Sprint(i)})
	}
	a := base.WithViolations(status.Violation{Field: "a"}).WithDetails(status.Detail{Type: "a"})
	b := base.WithViolations(status.Violation{Field: "b"}).WithDetails(status.Detail{Type: "b"})
	if a.Violations[3].Field != "a" || b.Violations[3].Field != "b" || a.Details[3].Type != "a" || b.Details[3].Type != "b" {
		t.Errorf("shared: %v %v", a, b)
	}
}

// equal compares what crosses a transport.
func equal(a, b *status.Error) bool {
	x, y := *a, *b
	x.Cause, y.Cause = nil, nil
	return fmt.Sprintf("%#v", x) == fmt.Sprintf("%#v", y)
}

func TestSentinelsWithoutAReasonAreTheirMessages(t *testing.T) {
	t.Parallel()
	order, user := status.New(status.NotFound, "no such order"), status.New(status.NotFound, "no such user")
	if errors.Is(order, user) {
		t.Error("an unknown order is no unknown user")
	}
	if !errors.Is(order, status.New(status.NotFound, "no such order")) || !errors.Is(order, &status.Error{Code: status.NotFound}) {
		t.Error("want the same message found, and the code alone")
	}
	if errors.Is(status.New(status.Canceled, "x"), fmt.Errorf("unrelated: %w", context.Canceled)) {
		t.Error("a target is one error, not what it wraps")
	}
}

// A response may hold errors, as that of a batch does.
func TestNoEncodingShowsTheCause(t *testing.T) {
	t.Parallel()
	type batch struct{ Errors []status.Error }
	const secret = "postgres"
	v := batch{Errors: []status.Error{{Code: status.NotFound, Message: "shown", Cause: errors.New(secret)}}}
	for _, c := range []codec.Codec{json.New(), cbor.New(), msgpack.New(), xml.New()} {
		data, err := c.Append(nil, v)
		if err != nil || strings.Contains(string(data), secret) || !strings.Contains(string(data), "shown") {
			t.Errorf("%s: have %s, %v", c.ContentTypes()[0], data, err)
		}
	}
}

func TestTheTextHasTheIDAndSaysNothingTwice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  *status.Error
		want string
	}{
		{&status.Error{Code: status.Internal, ID: "07", Message: "x"}, "internal (id 07): x"},
		{&status.Error{Code: status.Internal, ID: "07", Reason: "R", Message: "x"}, "internal (R, id 07): x"},
		{&status.Error{Code: status.Internal, Message: "decoding: bad", Cause: errors.New("bad")}, "internal: decoding: bad"},
	} {
		if have := row.err.Error(); row.want != have {
			t.Errorf("want %q, have %q", row.want, have)
		}
	}
}
