package transporttest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// errPlain is an error that was written to be shown.
func errPlain() *status.Error { return status.New(status.FailedPrecondition, "not now") }

// errShown has everything that an error can have.
func errShown() *status.Error {
	e := &status.Error{
		Code: status.FailedPrecondition, Message: "line 1\r\nline 2: 100 % \"世界\" 🧱", Reason: "NOT_NOW", ID: "0123abcd",
		RetryAfter: 1500 * time.Millisecond,
		Violations: []status.Violation{{Field: "items[3].price", Description: "is 世界"}, {Description: "in all"}},
	}
	for _, detail := range []struct {
		name  string
		value any
	}{
		{"shop.OutOfStock", map[string]any{"sku": "chisel", "left": 0, "at": []any{"a", nil, true, 1.5, map[string]any{}}}},
		{"shop.Number", 7},
	} {
		if d, err := status.NewDetail(detail.name, detail.value); err == nil {
			e.Details = append(e.Details, d)
		}
	}
	return e
}

// errLong is as long as errors may be that a validation of a large form makes.
func errLong() *status.Error {
	const violations, length = 64, 100
	e := status.New(status.InvalidArgument, strings.Repeat("m", 10*length))
	for i := range violations {
		e.Violations = append(e.Violations, status.Violation{
			Field: fmt.Sprintf("items[%d]", i), Description: strings.Repeat("d", length),
		})
	}
	return e
}

// same returns an error unless err is an error equal to want, causes aside.
func same(want *status.Error, err error) error {
	have := status.As(err)
	if have == nil {
		return fmt.Errorf("want %s, have %w", want.Code, told(err))
	}
	w, h := *want, *have
	w.Cause, h.Cause = nil, nil
	if len(w.Violations)+len(h.Violations) == 0 {
		w.Violations, h.Violations = nil, nil
	}
	if len(w.Details)+len(h.Details) == 0 {
		w.Details, h.Details = nil, nil
	}
	if !reflect.DeepEqual(w, h) {
		return fmt.Errorf("want %s, have %s", fields(&w), fields(&h))
	}
	return nil
}

// coded returns an error unless err is an error with that code, which is a *status.Error if it is one of a transport.
func coded(code status.Code, err error) error {
	if have := status.As(err); have == nil || have.Code != code {
		return fmt.Errorf("want %v, have %w", code, told(err))
	}
	return nil
}

// told is err in a text that says something about nil, too.
func told(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// fields returns all of an error, cut to what a person reads.
func fields(e *status.Error) string {
	const most = 500
	text := string(e.AppendProblem(nil, 0, ""))
	return text[:min(len(text), most)]
}

// silent returns an error if err tells the client the secret.
func silent(err error) error {
	if err != nil && strings.Contains(err.Error(), secret) {
		return fmt.Errorf("the client is told a secret: %w", err)
	}
	return nil
}

// hidden returns an error unless the client got of seen, which was not written to be shown, what it may see.
func hidden(err, seen error) error {
	have, here := status.As(err), status.As(seen)
	switch {
	case have == nil || have.Code != status.Internal:
		return fmt.Errorf("want internal, have %w", told(err))
	case have.ID == "":
		return fmt.Errorf("want an ID, have %w", err)
	case have.Message != status.From(errors.New("x")).Message:
		return fmt.Errorf("want the fixed message, have %w", err)
	case here == nil || here.ID != have.ID:
		return fmt.Errorf("the client's ID is %s, and the server saw %w", have.ID, told(seen))
	}
	return silent(err)
}

// when returns an error of that text if the condition holds.
func when(condition bool, text string) error {
	if !condition {
		return nil
	}
	return errors.New(text)
}
