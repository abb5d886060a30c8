package circuitbreaker

import (
	"context"
	"iter"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/internal/keyed"
	"github.com/ashlar-go/ashlar/transport"
)

// site is where an endpoint is decorated: it has a breaker for each priority, or one for each key.
type site struct {
	breakers  *Breakers
	id        ID
	unary     bool
	one       *guard // of calls with the default priority
	critical  atomic.Pointer[guard]
	sheddable atomic.Pointer[guard]
	keys      *keyed.Map[*guard]
}

// newSite panics when the policy fails, which has not failed in New.
func newSite(b *Breakers, id ID, unary bool) *site {
	s := &site{breakers: b, id: id, unary: unary}
	if b.config.key == nil {
		s.one = s.fresh(id)
		return s
	}
	s.keys = keyed.New(b.config.maxKeys, func(g **guard, _ int64) bool { return *g == nil || (*g).spare() })
	return s
}

func (s *site) fresh(id ID) *guard {
	g, err := s.breakers.newGuard(id, s.unary)
	if err != nil {
		panic(prefix + "the policy fails for " + s.id.Operation + ", and did not before: " + strings.TrimPrefix(err.Error(), prefix))
	}
	return g
}

// guard returns the one of the call.
func (s *site) guard(ctx context.Context, request any) *guard {
	if s.one == nil {
		return s.keyed(ctx, request)
	}
	switch p := transport.PriorityOf(ctx); {
	case p > transport.PriorityDefault:
		return s.prior(&s.critical, transport.PriorityCritical)
	case p < transport.PriorityDefault:
		return s.prior(&s.sheddable, transport.PrioritySheddable)
	}
	return s.one
}

// prior returns the guard of calls with another priority, which is made when the first comes.
func (s *site) prior(g *atomic.Pointer[guard], p transport.Priority) *guard {
	if has := g.Load(); has != nil {
		return has
	}
	id := s.id
	id.Priority = p
	g.CompareAndSwap(nil, s.fresh(id))
	return g.Load()
}

func (s *site) keyed(ctx context.Context, request any) *guard {
	key := s.breakers.config.key(ctx, request)
	e := s.keys.Acquire(key, 0)
	defer e.Release()
	if *e.Value == nil {
		id := s.id
		id.Key = key
		*e.Value = s.fresh(id)
	}
	return *e.Value
}

// guards yields those that there are.
func (s *site) guards() iter.Seq[*guard] {
	return func(yield func(*guard) bool) {
		if s.one != nil {
			for _, g := range []*guard{s.one, s.critical.Load(), s.sheddable.Load()} {
				if g != nil && !yield(g) {
					return
				}
			}
			return
		}
		for g := range s.keys.All() {
			if g != nil && !yield(g) {
				return
			}
		}
	}
}
