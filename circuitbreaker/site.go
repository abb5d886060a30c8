package circuitbreaker

import (
	"context"
	"iter"

	"github.com/ashlar-go/ashlar/internal/keyed"
)

// site is where an endpoint is decorated: it has one breaker, or one for each key.
type site struct {
	breakers *Breakers
	id       ID
	unary    bool
	one      *guard
	keys     *keyed.Map[*guard]
}

// newSite panics when the policy fails, which has not failed in New.
func newSite(b *Breakers, id ID, unary bool) *site {
	s := &site{breakers: b, id: id, unary: unary}
	if b.config.key == nil {
		s.one = s.fresh("")
		return s
	}
	s.keys = keyed.New(b.config.maxKeys, func(g **guard, _ int64) bool { return *g == nil || (*g).spare() })
	return s
}

func (s *site) fresh(key string) *guard {
	id := s.id
	id.Key = key
	g, err := s.breakers.newGuard(id, s.unary)
	if err != nil {
		panic("circuitbreaker: the policy fails for " + s.id.Operation + ", and did not before: " + err.Error())
	}
	return g
}

// guard returns the one of the call.
func (s *site) guard(ctx context.Context, request any) *guard {
	if s.one != nil {
		return s.one
	}
	return s.keyed(ctx, request)
}

func (s *site) keyed(ctx context.Context, request any) *guard {
	key := s.breakers.config.key(ctx, request)
	e := s.keys.Acquire(key, 0)
	defer e.Release()
	if *e.Value == nil {
		*e.Value = s.fresh(key)
	}
	return *e.Value
}

// guards yields those that there are.
func (s *site) guards() iter.Seq[*guard] {
	return func(yield func(*guard) bool) {
		if s.one != nil {
			yield(s.one)
			return
		}
		for g := range s.keys.All() {
			if g != nil && !yield(g) {
				return
			}
		}
	}
}
