package status_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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
		hidden  bool
	}{
		{"one", name, []status.Violation{name}, "invalid request: name: must not be empty", false},
		{"joined", errors.Join(name, price), []status.Violation{name, price}, "invalid request: name: must not be empty; items[3].price: must be positive", false},
		{"joined twice", errors.Join(errors.Join(name, price), whole), []status.Violation{name, price, whole}, "", false},
		{"wrapped", fmt.Errorf("order: %w", price), []status.Violation{price}, "", true},
		{"joined and wrapped", fmt.Errorf("order: %w", errors.Join(name, price)), []status.Violation{name, price}, "", true},
		{"wrapped, joined and wrapped", errors.Join(fmt.Errorf("a: %w", fmt.Errorf("b: %w", errors.Join(name, price))), whole), []status.Violation{name, price, whole}, "", true},
		{"several verbs", fmt.Errorf("%w and %w", name, price), []status.Violation{name, price}, "", false},
		{"another error", errors.New("no good"), nil, "the request is not valid", true},
		{"a mixture", errors.Join(name, errors.New("no good")), []status.Violation{name}, "", true},
		{"a tree with holes", holes{nil, name, nil}, []status.Violation{name}, "", false},
	} {
		have := status.As(status.Invalid(row.err))
		if have.Code != status.InvalidArgument || !slices.Equal(row.want, have.Violations) {
			t.Errorf("%s: want %v, have %v %v", row.name, row.want, have.Code, have.Violations)
		}
		if row.message != "" && row.message != have.Message {
			t.Errorf("%s: message: want %q, have %q", row.name, row.message, have.Message)
		}
		if have.Cause != nil && !errors.Is(have, row.err) || have.Cause == nil && row.hidden {
			t.Errorf("%s: what is not shown is lost", row.name)
		}
	}
}

func TestInvalidKeepsAStatus(t *testing.T) {
	t.Parallel()
	e := status.New(status.PermissionDenied, "not yours").WithCause(io.EOF)
	for _, err := range []error{e, fmt.Errorf("checking: %w", e), errors.Join(status.Violation{Field: "sku", Description: "is missing"}, e)} {
		have := status.As(status.Invalid(err))
		if have.Code != status.PermissionDenied || have.Message != "not yours" || !errors.Is(have, io.EOF) {
			t.Errorf("%v: want %v, have %v", err, e, have)
		}
	}
}

func TestInvalidKeepsTheViolationsOfAStatus(t *testing.T) {
	t.Parallel()
	name := status.Violation{Field: "name", Description: "must not be empty"}
	price := status.Violation{Field: "price", Description: "must be positive"}
	inner := status.Invalid(price)
	plain := status.New(status.InvalidArgument, "no good")
	have := status.As(status.Invalid(errors.Join(name, inner, plain, &name)))
	if want := []status.Violation{name, price, {Description: "no good"}, name}; !slices.Equal(want, have.Violations) {
		t.Errorf("want %v, have %v", want, have.Violations)
	}
}

func TestInvalidOfNothingIsNoError(t *testing.T) {
	t.Parallel()
	var none *status.Error
	for _, err := range []error{nil, none} {
		if have := status.Invalid(err); have != nil {
			t.Errorf("want nil, have %v", have)
		}
	}
}

func TestInvalidShowsOnlyWhatWasWrittenToBeShown(t *testing.T) {
	t.Parallel()
	const secret = "postgres://u:pw@db"
	e := status.As(status.Invalid(fmt.Errorf("checking: %w", errors.New(secret))))
	if problem := string(e.AppendProblem(nil, 0, "")); strings.Contains(problem, "pw") {
		t.Errorf("shown: %s", problem)
	}
	if !strings.Contains(e.Error(), secret) {
		t.Errorf("want the cause in the log, have %v", e)
	}
}

func TestManyViolationsMakeASmallAnswer(t *testing.T) {
	t.Parallel()
	errs := make([]error, 50_000)
	for i := range errs {
		errs[i] = status.Violation{Field: fmt.Sprintf("items[%d]", i), Description: "is wrong"}
	}
	e := status.As(status.Invalid(errors.Join(errs...)))
	if len(e.Violations) != 64 || !strings.HasSuffix(e.Message, "; and 49992 more") || len(e.Message) > 300 {
		t.Errorf("have %d violations, %q", len(e.Violations), e.Message)
	}
}

// holes is an error tree as nobody should write it.
type holes []error

func (holes) Error() string     { return "holes" }
func (h holes) Unwrap() []error { return h }
func (h holes) Is(e error) bool { _, ok := e.(holes); return ok }
