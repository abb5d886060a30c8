package endpoint_test

import (
	"context"
	"iter"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

type big struct{ a, b, c int }

func pass(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (any, error) { return next(ctx, request) }
}

var fiveNoOps = []endpoint.Middleware{pass, pass, pass, pass, pass}

func byPointer(_ context.Context, request *big) (*big, error) { return request, nil }

func byValue(_ context.Context, request big) (big, error) { return request, nil }

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx, request := t.Context(), &big{1, 2, 3}
	pointers := endpoint.New(placeSpec, byPointer, fiveNoOps...)
	values := endpoint.New(placeSpec, byValue, fiveNoOps...)
	for _, row := range []struct {
		name string
		want float64
		call func()
	}{
		{"pointers", 0, func() { _, _ = pointers(ctx, request) }},
		{"values", 2, func() { _, _ = values(ctx, *request) }},
	} {
		if have := testing.AllocsPerRun(100, row.call); have > row.want {
			t.Errorf("five middlewares around %s: want at most %v allocations, have %v", row.name, row.want, have)
		}
	}
}

// Without hooks the types of a stream's messages are not erased, so that a message costs nothing.
//
//nolint:paralleltest // allocations are counted for the whole process
func TestMessagesCostNothingWithoutHooks(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const messages = 1000
	in := func(yield func(big, error) bool) {
		for i := range messages {
			if !yield(big{a: i}, nil) {
				return
			}
		}
	}
	sum := 0
	out := func(b big) error { sum += b.a; return nil }
	echo := func(_ context.Context, in iter.Seq2[big, error], out func(big) error) error {
		for message, err := range in {
			if err != nil {
				return err
			}
			if err := out(message); err != nil {
				return err
			}
		}
		return nil
	}
	s := endpoint.NewStream(placeSpec, echo, fiveNoOps...)
	perCall := testing.AllocsPerRun(100, func() { _ = s(t.Context(), in, out) })
	if have := perCall / messages; have > 0.01 {
		t.Errorf("want 0 allocations per message, have %v", have)
	}
	if perCall > 8 {
		t.Errorf("want at most 8 allocations per stream, have %v", perCall)
	}
}

// BenchmarkFiveMiddlewares compares with chains as they are written by hand with Go kit. There the caller of an endpoint deals in
// any; "typed" has the typed edge that each service then writes for itself, and that New gives.
func BenchmarkFiveMiddlewares(b *testing.B) {
	request := &big{1, 2, 3}
	b.Run("pointer", func(b *testing.B) {
		e := endpoint.New(placeSpec, byPointer, fiveNoOps...)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e(b.Context(), request)
		}
	})
	b.Run("value", func(b *testing.B) {
		e := endpoint.New(placeSpec, byValue, fiveNoOps...)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = e(b.Context(), *request)
		}
	})
	b.Run("gokit pointer", func(b *testing.B) {
		e := gokitChain(makePointerEndpoint(service{}))
		b.ReportAllocs()
		for b.Loop() {
			response, _ := e(b.Context(), request)
			_ = response.(*big) //nolint:forcetypeassert // as Go kit's users write
		}
	})
	b.Run("gokit value", func(b *testing.B) {
		e := gokitChain(makeValueEndpoint(service{}))
		b.ReportAllocs()
		for b.Loop() {
			response, _ := e(b.Context(), *request)
			_ = response.(big) //nolint:forcetypeassert // as Go kit's users write
		}
	})
	b.Run("gokit typed pointer", func(b *testing.B) {
		var svc gokitService = &endpointSet{byPointer: gokitChain(makePointerEndpoint(service{}))}
		b.ReportAllocs()
		for b.Loop() {
			_, _ = svc.ByPointer(b.Context(), request)
		}
	})
	b.Run("gokit typed value", func(b *testing.B) {
		var svc gokitService = &endpointSet{byValue: gokitChain(makeValueEndpoint(service{}))}
		b.ReportAllocs()
		for b.Loop() {
			_, _ = svc.ByValue(b.Context(), *request)
		}
	})
}

// A service in the manner of Go kit's examples: an interface, and for each method an endpoint made by hand.
type gokitService interface {
	ByPointer(ctx context.Context, request *big) (*big, error)
	ByValue(ctx context.Context, request big) (big, error)
}

type service struct{}

func (service) ByPointer(ctx context.Context, request *big) (*big, error) {
	return byPointer(ctx, request)
}

func (service) ByValue(ctx context.Context, request big) (big, error) { return byValue(ctx, request) }

//go:noinline
func makePointerEndpoint(svc gokitService) gokitEndpoint {
	return func(ctx context.Context, request any) (any, error) {
		return svc.ByPointer(ctx, request.(*big)) //nolint:forcetypeassert // as Go kit's users write
	}
}

//go:noinline
func makeValueEndpoint(svc gokitService) gokitEndpoint {
	return func(ctx context.Context, request any) (any, error) {
		return svc.ByValue(ctx, request.(big)) //nolint:forcetypeassert // as Go kit's users write
	}
}

// endpointSet makes a service of endpoints again, as the clients of Go kit's examples do: the typed edge, by hand.
type endpointSet struct{ byPointer, byValue gokitEndpoint }

func (s *endpointSet) ByPointer(ctx context.Context, request *big) (*big, error) {
	response, err := s.byPointer(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.(*big), nil //nolint:forcetypeassert // as Go kit's users write
}

func (s *endpointSet) ByValue(ctx context.Context, request big) (big, error) {
	response, err := s.byValue(ctx, request)
	if err != nil {
		return big{}, err
	}
	return response.(big), nil //nolint:forcetypeassert // as Go kit's users write
}

// gokitChain puts five no-ops around e, as Go kit's endpoint.Chain does.
func gokitChain(e gokitEndpoint) gokitEndpoint {
	for range fiveNoOps {
		next := e
		e = func(ctx context.Context, request any) (any, error) { return next(ctx, request) }
	}
	return e
}

func BenchmarkStreamMessage(b *testing.B) {
	for name, mw := range map[string]endpoint.Middleware{"no hooks": pass, "a hook": hooks(func(any) error { return nil }, nil)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			in := func(yield func(*big, error) bool) {
				message := new(big)
				for b.Loop() {
					if !yield(message, nil) {
						return
					}
				}
			}
			s := endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[*big, error]) (n int, err error) {
				for range requests {
					n++
				}
				return n, nil
			})
			_, _ = endpoint.NewStream(placeSpec, s, mw).Send(b.Context(), in)
		})
	}
}
