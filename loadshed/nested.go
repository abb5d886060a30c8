package loadshed

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
)

// sites are the operations that have been decorated, each side by itself.
type sites struct {
	mu    sync.Mutex
	known map[place]*site
}

// site is an operation. Where it was decorated more than once, that may have been in one chain, and its calls have to be told from those
// that hold a place already, or they would wait for themselves. Else that would be an allocation for nothing.
type site struct{ twice atomic.Bool }

func (s *sites) of(p place) *site {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[p]; known != nil {
		known.twice.Store(true)
		return known
	}
	if s.known == nil {
		s.known = make(map[place]*site)
	}
	s.known[p] = new(site)
	return s.known[p]
}

// holding is the context of a call that holds a place.
type holding struct {
	context.Context
	site *site
	gate *gate
	over atomic.Bool // the call has ended, whoever has its context still
}

// Value returns the holding itself for its site.
func (h *holding) Value(key any) any {
	if key == any(h.site) {
		return h
	}
	return h.Context.Value(key)
}

// holds says whether a call to the site with that context has passed the gate already.
func (s *site) holds(ctx context.Context, g *gate) bool {
	for {
		h, ok := ctx.Value(s).(*holding)
		if !ok {
			return false
		}
		if h.gate == g && !h.over.Load() {
			return true
		}
		ctx = h.Context
	}
}

// pass calls next for who has passed the gate.
func (s *site) pass(ctx context.Context, g *gate, next endpoint.Handler, request any) (any, error) {
	if !s.twice.Load() {
		return next(ctx, request)
	}
	h := &holding{Context: ctx, site: s, gate: g}
	defer h.over.Store(true)
	return next(h, request)
}

// passed says whether it need not ask, since it has.
func (s *site) passed(ctx context.Context, g *gate) bool { return s.twice.Load() && s.holds(ctx, g) }

// failing is the handler of what nobody has made: a mistake in the program, which the first call tells.
func failing(err error) endpoint.Handler {
	return func(context.Context, any) (any, error) { return nil, err }
}
