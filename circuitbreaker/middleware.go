package circuitbreaker

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// decorate is the middleware of a site.
func (b *Breakers) decorate(s *site, spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	switch {
	case spec.Kind != endpoint.Unary:
		return (&streaming{site: s, next: next}).handle
	case b.doers != nil:
		return (&doing{site: s, changes: &b.changes, do: b.doFunc(s.id.Side, next)}).handle
	}
	return (&unary{site: s, next: next}).handle
}

// ended is the error of a call that was not made since its context has ended.
func (s *site) ended(ctx context.Context) error {
	e := status.From(ctx.Err())
	if s.id.Side == endpoint.Server {
		return e
	}
	return e.WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, context.Cause(ctx)))
}

// unary is the endpoint of a Breaker.
type unary struct {
	site *site
	next endpoint.Handler
}

func (u *unary) handle(ctx context.Context, request any) (response any, err error) {
	if ctx.Err() != nil {
		return nil, u.site.ended(ctx)
	}
	b, g := u.site.breakers, u.site.guard(ctx, request)
	done, err := g.breaker.Allow()
	if err != nil {
		b.changes.give()
		return nil, g.refuse(ctx, err)
	}
	outcome := ErrIgnored // if a function of OnChange panics
	defer func() {
		done(outcome)
		b.changes.give()
	}()
	b.changes.give()
	outcome = errNotReturned
	response, err = u.next(ctx, request)
	outcome = b.outcome(ctx, u.site.id.Side, err)
	return response, err
}

// doing is the endpoint of a Doer.
type doing struct {
	site    *site
	changes *changes
	do      DoFunc
}

func (d *doing) handle(ctx context.Context, request any) (any, error) {
	if ctx.Err() != nil {
		return nil, d.site.ended(ctx)
	}
	g := d.site.guard(ctx, request)
	response, refused, err := d.call(ctx, request, g.doer)
	if refused {
		return nil, g.refuse(ctx, err)
	}
	return response, err
}

// call tells of what has changed also when the call panics.
func (d *doing) call(ctx context.Context, request any, doer Doer) (response any, refused bool, err error) {
	defer d.changes.give()
	return doer.Do(ctx, request, d.do)
}

// doFunc returns next for Doers.
func (b *Breakers) doFunc(side endpoint.Side, next endpoint.Handler) DoFunc {
	return func(ctx context.Context, request any) (response any, outcome, err error) {
		b.changes.give() // half open, and the call may take long
		response, err = next(ctx, request)
		return response, b.outcome(ctx, side, err), err
	}
}
