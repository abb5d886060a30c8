package loadshed

import (
	"context"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// Middleware is an endpoint.Middleware that asks the Shedder for each call. All endpoints that it decorates share the limit, which is that
// of the process; an endpoint with a limit of its own has a Shedder of its own. Put it in front of decoding, as the first of the
// ServerMiddleware, so that a call that is refused costs next to nothing. What stands before it has begun with the call, when it is
// told that nothing has.
//
// A call that is refused ends with Unavailable, the reason OVERLOADED and a RetryAfter. Over HTTP and NATS the answer says that nothing
// was begun (transport.NotBegunHeader), so that package lb may take another instance; on a client the error is transport.ErrWithheld. One
// whose context ends while it waits has the error of that. One whose context has ended when it is done was no use to anybody, whatever it
// returns. A panic, and runtime.Goexit, go on as they are and give the place free.
//
// Where it stands in one chain twice, as in front of decoding and around the endpoint, the outer one asks, and the inner one lets pass. An
// operation that it decorates more than once, also for two transports, costs an allocation for each call. An endpoint that calls another
// of its process, with the same Shedder in front, may wait for itself.
//
// A stream is let in or refused when it begins; see HoldStreams.
func (s *Shedder) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	if s == nil || s.table == nil {
		return failing(errZeroShedder)
	}
	p := placeOf(spec)
	d := &decorated{shedder: s, place: p, site: s.sites.of(p), next: next}
	switch {
	case spec.Kind == endpoint.Unary || spec.Kind == 0:
		return d.call
	case s.config.holdStreams:
		return d.stream
	}
	return d.opening
}

// decorated is an endpoint.
type decorated struct {
	shedder *Shedder
	place   place
	site    *site
	next    endpoint.Handler
}

func (d *decorated) begin(ctx context.Context) (began time.Duration, err error) {
	began, v := d.shedder.begin(ctx)
	if v == granted {
		return began, nil
	}
	return began, d.place.refusal(ctx, d.shedder.table, v)
}

// place is where a middleware stands.
type place struct {
	side      endpoint.Side
	operation string
}

func placeOf(spec endpoint.Spec) place { return place{side: spec.Side, operation: spec.Operation()} }

// refusal returns the error of a call with that verdict, and says in its answer that it was not begun.
func (p place) refusal(ctx context.Context, t *table, v verdict) error {
	if p.side == endpoint.Server && v != gone {
		transport.SetNotBegun(ctx, p.operation)
	}
	return t.refusal(ctx, v, p.side)
}

func (d *decorated) call(ctx context.Context, request any) (response any, err error) {
	if d.site.passed(ctx, &d.shedder.gate) {
		return d.next(ctx, request)
	}
	began, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	returned := false
	defer func() {
		if returned && ctx.Err() == nil {
			d.shedder.finish(began, err)
		} else {
			d.shedder.end(began, false)
		}
	}()
	response, err = d.site.pass(ctx, &d.shedder.gate, d.next, request)
	returned = true
	return response, err
}

// stream holds a place as long as it lives.
func (d *decorated) stream(ctx context.Context, request any) (any, error) {
	if d.site.passed(ctx, &d.shedder.gate) {
		return d.next(ctx, request)
	}
	if _, err := d.begin(ctx); err != nil {
		return nil, err
	}
	defer d.shedder.end(untimed, false)
	return d.site.pass(ctx, &d.shedder.gate, d.next, request)
}

// opening holds a place for a moment.
func (d *decorated) opening(ctx context.Context, request any) (any, error) {
	if d.site.passed(ctx, &d.shedder.gate) {
		return d.next(ctx, request)
	}
	if _, err := d.begin(ctx); err != nil {
		return nil, err
	}
	d.shedder.end(untimed, false)
	return d.site.pass(ctx, &d.shedder.gate, d.next, request)
}
