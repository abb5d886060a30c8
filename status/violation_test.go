package status_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/status"
)

func TestInvalidListsEveryViolation(t *testing.T) {
	t.Parallel()
	name := status.Violation{Field: "name", Description: "must not be empty"}
	price := status.Violation{Field: "items[3].price", Description: "must be positive"}
	whole := status.Violation{Description: "too many items"}
	for _, row := range []struct {
		name    string
		err     error
		want    []status.Violation
		message string
	}{
		{"one", name, []status.Violation{name}, "invalid request: name: must not be empty"},
		{"joined", errors.Join(name, price), []status.Violation{name, price}, "invalid request: name: must not be empty; items[3].price: must be positive"},
		{"joined twice", errors.Join(errors.Join(name, price), whole), []status.Violation{name, price, whole}, ""},
		{"wrapped", fmt.Errorf("order: %w", price), []status.Violation{price}, ""},
		{"joined and wrapped", fmt.Errorf("order: %w", errors.Join(name, price)), []status.Violation{name, price}, ""},
		{"wrapped, joined and wrapped", errors.Join(fmt.Errorf("a: %w", fmt.Errorf("b: %w", errors.Join(name, price))), whole), []status.Violation{name, price, whole}, ""},
		{"several verbs", fmt.Errorf("%w and %w", name, price), []status.Violation{name, price}, ""},
		{"another error", errors.New("no good"), []status.Violation{{Description: "no good"}}, "invalid request: no good"},
		{"a mixture", errors.Join(name, errors.New("no good")), []status.Violation{name, {Description: "no good"}}, ""},
		{"a tree with holes", holes{nil, name, nil}, []status.Violation{name}, ""},
	} {
		have := status.Invalid(row.err)
		if have.Code != status.InvalidArgument || !slices.Equal(row.want, have.Violations) {
			t.Errorf("%s: want %v, have %v %v", row.name, row.want, have.Code, have.Violations)
		}
		if row.message != "" && row.message != have.Message {
			t.Errorf("%s: message: want %q, have %q", row.name, row.message, have.Message)
		}
		if !errors.Is(have, row.err) {
			t.Errorf("%s: what the validation found is lost", row.name)
		}
	}
}

func TestInvalidKeepsAStatus(t *testing.T) {
	t.Parallel()
	e := status.New(status.PermissionDenied, "not yours").WithCause(io.EOF)
	if have := status.Invalid(fmt.Errorf("checking: %w", e)); have != e {
		t.Errorf("want %v, have %v", e, have)
	}
}

// holes is an error tree as nobody should write it.
type holes []error

func (holes) Error() string     { return "holes" }
func (h holes) Unwrap() []error { return h }
func (h holes) Is(e error) bool { _, ok := e.(holes); return ok }
