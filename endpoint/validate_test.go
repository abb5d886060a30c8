package endpoint_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

type order struct{ SKU, Count string }

func (o order) Validate() error {
	var errs []error
	if o.SKU == "" {
		errs = append(errs, status.Violation{Field: "sku", Description: "must not be empty"})
	}
	if o.Count == "" {
		errs = append(errs, status.Violation{Field: "count", Description: "must be positive"})
	}
	return errors.Join(errs...)
}

func checkOrder(o order) error { return o.Validate() }

var bothWrong = []status.Violation{
	{Field: "sku", Description: "must not be empty"}, {Field: "count", Description: "must be positive"},
}

func validators() map[string]endpoint.Middleware {
	return map[string]endpoint.Middleware{
		"Validate":     endpoint.Validate(),
		"ValidateFunc": endpoint.ValidateFunc(checkOrder),
	}
}

func TestValidateReportsEveryViolation(t *testing.T) {
	t.Parallel()
	for name, mw := range validators() {
		for _, spec := range []endpoint.Spec{placeSpec.Server(), placeSpec.Client()} {
			calls := 0
			e := endpoint.New(spec, func(_ context.Context, o order) (string, error) { calls++; return o.SKU, nil }, mw)
			if have, err := e(t.Context(), order{"a", "1"}); have != "a" || err != nil {
				t.Errorf("%s, %v: want a, have %q, %v", name, spec.Side, have, err)
			}
			_, err := e(t.Context(), order{})
			have := status.As(err)
			if have == nil || have.Code != status.InvalidArgument || !slices.Equal(bothWrong, have.Violations) {
				t.Errorf("%s, %v: want both violations, have %v", name, spec.Side, err)
			}
			if calls != 1 {
				t.Errorf("%s, %v: want one call, have %d", name, spec.Side, calls)
			}
		}
	}
}

func TestValidateChecksEachMessageOfAStream(t *testing.T) {
	t.Parallel()
	for name, mw := range validators() {
		for _, kind := range []endpoint.Kind{0, endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional} {
			for _, spec := range []endpoint.Spec{placeSpec.Server(), placeSpec.Client()} {
				spec.Kind = kind
				var read []order
				s := endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[order, error]) (order, error) {
					for o, err := range requests {
						if err != nil {
							return o, err
						}
						read = append(read, o)
					}
					return order{}, nil // responses are not checked
				})
				s = endpoint.NewStream(spec, s, mw)
				good := order{"a", "1"}
				if _, err := s.Send(t.Context(), endpoint.Seq(good, good)); err != nil {
					t.Errorf("%s, %v %v: %v", name, spec.Side, kind, err)
				}
				read = nil
				_, err := s.Send(t.Context(), endpoint.Seq(good, order{}, good))
				have := status.As(err)
				if have == nil || !slices.Equal(bothWrong, have.Violations) || !slices.Equal(read, []order{good}) {
					t.Errorf("%s, %v %v: want both violations and one message, have %v, %v", name, spec.Side, kind, err, read)
				}
			}
		}
	}
}

func TestValidatePassesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, mw := range validators() {
		if have, err := endpoint.New(placeSpec, length, mw)(t.Context(), ""); have != 0 || err != nil {
			t.Errorf("%s: want 0, have %d, %v", name, have, err)
		}
		anything := func(_ context.Context, v any) (any, error) { return v, nil }
		if have, err := endpoint.New[any, any](placeSpec, anything, mw)(t.Context(), nil); have != nil || err != nil {
			t.Errorf("%s: want nil, have %v, %v", name, have, err)
		}
	}
}

func TestValidateKeepsAStatus(t *testing.T) {
	t.Parallel()
	taken := status.New(status.AlreadyExists, "taken")
	e := endpoint.New(placeSpec, length, endpoint.ValidateFunc(func(string) error { return taken }))
	if _, err := e(t.Context(), "x"); !errors.Is(err, taken) {
		t.Errorf("want %v, have %v", taken, err)
	}
}

// A method may end in "return status.Invalid(...)", whatever that finds.
func TestAValidateThatFindsNothingPasses(t *testing.T) {
	t.Parallel()
	e := endpoint.New(placeSpec, length, endpoint.ValidateFunc(func(string) error { return status.Invalid(nil) }))
	if have, err := e(t.Context(), "x"); have != 1 || err != nil {
		t.Errorf("want 1, have %v, %v", have, err)
	}
}

// ptrOnly is a request whose method only a pointer has.
type ptrOnly struct{ wrong bool }

func (b *ptrOnly) Validate() error {
	if b.wrong {
		return status.Violation{Field: "wrong", Description: "must be false"}
	}
	return nil
}

func TestValidateFindsTheMethodOfThePointer(t *testing.T) {
	t.Parallel()
	typed := func(b ptrOnly) error { return b.Validate() }
	pointed := func(b *ptrOnly) error { return b.Validate() }
	for name, mw := range map[string]endpoint.Middleware{
		"method": endpoint.Validate(), "function": endpoint.ValidateFunc(typed), "function of a pointer": endpoint.ValidateFunc(pointed),
	} {
		byValue := endpoint.New(placeSpec, func(context.Context, ptrOnly) (int, error) { return 1, nil }, mw)
		pointer := endpoint.New(placeSpec, func(context.Context, *ptrOnly) (int, error) { return 1, nil }, mw)
		for _, wrong := range []bool{false, true, true} {
			_, err := byValue(t.Context(), ptrOnly{wrong})
			_, errPointer := pointer(t.Context(), &ptrOnly{wrong})
			if (err != nil) != wrong || (errPointer != nil) != wrong {
				t.Errorf("%s: wrong is %t, have %v and %v", name, wrong, err, errPointer)
			}
		}
	}
}
