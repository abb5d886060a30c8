package circuitbreaker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
)

// streaming is a decorated stream.
type streaming struct {
	site *site
	next endpoint.Handler
}

func (s *streaming) handle(ctx context.Context, request any) (response any, err error) {
	if ctx.Err() != nil {
		return nil, s.site.ended(ctx)
	}
	b, g := s.site.breakers, s.site.guard(ctx, request)
	done, err := g.breaker.Allow()
	if err != nil {
		b.changes.give()
		return nil, g.refuse(ctx, err)
	}
	o := &opening{changes: &b.changes, done: done}
	timer := time.AfterFunc(b.config.opened, func() { o.tell(nil) })
	outcome := ErrIgnored // if a function of OnChange panics
	defer func() {
		timer.Stop()
		if !o.tell(outcome) && outcome != nil && !errors.Is(outcome, ErrIgnored) {
			g.note(outcome)
		}
	}()
	b.changes.give()
	outcome = errNotReturned
	if m, ok := request.(*endpoint.Messages); ok {
		request = m.WithHooks(nil, func(any) error {
			o.tell(nil)
			return nil
		})
	}
	response, err = s.next(ctx, request)
	outcome = b.outcome(ctx, s.site.id.Side, err)
	return response, err
}

// opening is how a stream was opened, which is told once.
type opening struct {
	changes *changes
	once    sync.Once
	done    func(error)
}

// tell returns false where it was told before.
func (o *opening) tell(outcome error) (first bool) {
	o.once.Do(func() {
		first = true
		o.done(outcome)
	})
	if first {
		o.changes.give()
	}
	return first
}

// note tells the breaker of the end of what it was told the beginning of.
func (g *guard) note(outcome error) {
	if done, err := g.breaker.Allow(); err == nil {
		done(outcome)
	}
	g.breakers.changes.give()
}
