package authz

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
)

// By refuses the calls that check does, by who makes them and by what they say. It stands around the endpoint of a server, where the
// request has been decoded, inside of auth.Middleware. On a stream it checks each message that the client sends before the endpoint
// sees it; after one is refused nothing more is sent, and the stream ends with that error, also where the endpoint ignores it. A stream
// that sends before it reads does so unchecked, so Rules belong before it.
//
// An error of check is PermissionDenied with ReasonForbidden, and in the cause only; with auth.ErrUnavailable in it, it is Unavailable
// with ReasonUnavailable. Where nobody is known the call is refused as Unauthenticated, without asking. A request that is neither a Req
// nor a *Req is refused as Internal, as is every call where check is nil or the endpoint is a client's. A panic of check goes on, and
// refuses the call.
func By[Req any](check func(ctx context.Context, caller *auth.Principal, request Req) error) endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		operation := spec.Operation()
		switch {
		case check == nil:
			return refuse(errUnwired.WithCause(fmt.Errorf("authz: By: %s: the function is nil", operation)))
		case spec.Side == endpoint.Client:
			return refuse(errUnwired.WithCause(fmt.Errorf("authz: By is for servers, and %s is a client's", operation)))
		}
		ask := func(ctx context.Context, caller *auth.Principal, request any) error {
			r, ok := request.(Req)
			if !ok {
				p, _ := request.(*Req)
				if p == nil {
					return errUnwired.WithCause(fmt.Errorf(
						"authz: By: the request of %s is a %T, want %v; it goes around the endpoint, not around decoding",
						operation, request, reflect.TypeFor[Req]()))
				}
				r = *p
			}
			return verdict(ctx, operation, caller, check(ctx, caller, r))
		}
		nobody := errNobody.WithCause(fmt.Errorf("authz: By: %s is called by nobody", operation))
		return func(ctx context.Context, request any) (any, error) {
			caller := auth.PrincipalOf(ctx)
			if caller == nil {
				return nil, nobody
			}
			if m, ok := request.(*endpoint.Messages); ok && m != nil {
				return byMessage(ctx, m, next, func(message any) error { return ask(ctx, caller, message) })
			}
			if err := ask(ctx, caller, request); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}
	}
}

var errPanicked = errUnwired.WithCause(errors.New("authz: By: the function panicked"))

// byMessage asks for each message of a stream. Its hooks may run on two goroutines.
func byMessage(ctx context.Context, m *endpoint.Messages, next endpoint.Handler, ask func(any) error) (any, error) {
	var failed atomic.Pointer[error]
	in := func(message any) (err error) {
		if before := failed.Load(); before != nil {
			return *before
		}
		err = errPanicked
		defer func() { // also of a panic, which the endpoint might survive
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		}()
		err = ask(message)
		return err
	}
	out := func(any) error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
	response, err := next(ctx, m.WithHooks(in, out))
	if refused := failed.Load(); refused != nil {
		return nil, *refused
	}
	return response, err
}

// verdict makes what the caller is told of what check says.
func verdict(ctx context.Context, operation string, caller *auth.Principal, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("authz: %w: %v", ctx.Err(), err) //nolint:errorlint // a status in err would be shown to the caller
	}
	cause := fmt.Errorf("authz: %s by %v: %w", operation, caller, err)
	if errors.Is(err, auth.ErrUnavailable) {
		return errUnavailable.WithCause(cause)
	}
	return errForbidden.WithCause(cause)
}
