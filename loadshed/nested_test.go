package loadshed_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
)

// What stands in a chain twice asks once, or a call would wait for itself.
func TestTwiceInAChainAsksOnce(t *testing.T) {
	t.Parallel()
	s := roomless(t, 1)
	b := must(loadshed.NewBulkhead(1))
	keyed := must(loadshed.NewBulkheads(1, loadshed.BulkheadPerOperation()))
	for name, row := range map[string]struct {
		mw         endpoint.Middleware
		inProgress func() int
	}{
		"Shedder":   {s.Middleware, func() int { return s.Status().InProgress }},
		"Bulkhead":  {b.Middleware, func() int { return b.Status().InProgress }},
		"Bulkheads": {keyed.Middleware, func() int { return keyed.Status().Bulkheads[0].InProgress }},
	} {
		for _, kind := range []endpoint.Kind{endpoint.Unary, endpoint.Bidirectional} {
			spec := spec
			spec.Kind = kind
			var kept context.Context
			inner := row.mw(spec, func(ctx context.Context, _ any) (any, error) {
				if want, have := 1, row.inProgress(); want != have && (name != "Shedder" || kind == endpoint.Unary) {
					t.Errorf("%s, %v: want %d in progress, have %d", name, kind, want, have)
				}
				kept = ctx
				return "stone", nil
			})
			between := func(ctx context.Context, request any) (any, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				return inner(ctx, request)
			}
			outer := row.mw(spec, between)
			for range 2 {
				if have, err := outer(t.Context(), nil); err != nil || have != "stone" {
					t.Errorf("%s, %v: have %v, %v", name, kind, have, err)
				}
			}
			if have := row.inProgress(); have != 0 {
				t.Errorf("%s, %v: want none in progress after it, have %d", name, kind, have)
			}
			// The context of a call that has ended is no ticket, nor is that of another endpoint.
			busy := row.mw(endpoint.Spec{Service: "quarry", Method: "Haul"}, func(context.Context, any) (any, error) {
				_, err := inner(context.WithoutCancel(kept), nil)
				return nil, err
			})
			if _, err := busy(t.Context(), nil); (name == "Bulkheads") == errors.Is(err, loadshed.ErrFull) {
				t.Errorf("%s, %v: want a call of its own to be refused, but for another key, have %v", name, kind, err)
			}
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// What nobody has made says so, and does not panic.
func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	type middleware interface {
		Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler
	}
	for want, made := range map[string][]middleware{
		"loadshed: a Shedder that New has not made":          {new(loadshed.Shedder), (*loadshed.Shedder)(nil)},
		"loadshed: a Bulkhead that NewBulkhead has not made": {new(loadshed.Bulkhead), (*loadshed.Bulkhead)(nil)},
		"loadshed: Bulkheads that NewBulkheads has not made": {new(loadshed.Bulkheads), (*loadshed.Bulkheads)(nil)},
	} {
		for _, m := range made {
			_, err := m.Middleware(spec, nil)(t.Context(), nil)
			errs := []error{err}
			switch m := m.(type) {
			case *loadshed.Shedder:
				_, err = m.Acquire(t.Context())
				_ = m.Status()
			case *loadshed.Bulkhead:
				_, err = m.Acquire(t.Context())
				_ = m.Status()
			case *loadshed.Bulkheads:
				_, err = m.Acquire(t.Context(), "key")
				_ = m.Status()
			}
			for _, err := range append(errs, err) {
				if err == nil || err.Error() != want {
					t.Errorf("want %q, have %v", want, err)
				}
			}
		}
	}
}
