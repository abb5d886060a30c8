package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// The reasons of the errors by which Middleware and Expiring refuse a call.
const (
	ReasonMissing     = "CREDENTIALS_MISSING"     // Unauthenticated: there were none.
	ReasonInvalid     = "CREDENTIALS_INVALID"     // Unauthenticated: they were bad; why is in the log.
	ReasonExpired     = "CREDENTIALS_EXPIRED"     // Unauthenticated: they expired while a stream went on.
	ReasonUnavailable = "CREDENTIALS_UNAVAILABLE" // Unavailable: they cannot be checked now.
)

const challengeHeader = "WWW-Authenticate"

var (
	errMissing     = status.New(status.Unauthenticated, "the credentials are missing").WithReason(ReasonMissing)
	errInvalid     = status.New(status.Unauthenticated, "the credentials are not valid").WithReason(ReasonInvalid)
	errExpired     = status.New(status.Unauthenticated, "the credentials have expired").WithReason(ReasonExpired)
	errUnavailable = status.New(status.Unavailable, "the credentials cannot be checked now").WithReason(ReasonUnavailable)
	errUnwired     = status.New(status.Internal, "the server cannot authenticate this call")
)

// Middleware lets only those calls through that the Authenticator knows the caller of, whom PrincipalOf returns then. It is for servers,
// given to ServerMiddleware of a transport, so that a call is refused before it is decoded and a stream before its first message; around an
// endpoint it does the same later.
//
// A call that is refused ends with Unauthenticated, or with Unavailable where the Authenticator cannot say, and with the header field
// WWW-Authenticate, on all transports. Why is in the cause of the error only, for the log of the server. A panic of the Authenticator goes
// on, and refuses the call, too. One that does not answer within 10 s (Limit) cannot say; what it says when the time of the call is up
// does not count. A stream ends when the credentials of its caller expire (Outlive).
//
// Where there is no transport, or the endpoint is a client's, or authenticator is nil, or an option is wrong, every call is refused as
// Internal: it is the program that is wrong.
func Middleware(authenticator Authenticator, opts ...Option) endpoint.Middleware {
	c := config{limit: DefaultLimit}
	wrong := option.Set(&c, opts)
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		if err := unwired(spec, authenticator, wrong); err != nil {
			return func(context.Context, any) (any, error) { return nil, err }
		}
		inner, lets := withinOptional(authenticator)
		if !c.outlive {
			next = Expiring()(spec, next)
		}
		noCall := errUnwired.WithCause(fmt.Errorf("auth: Middleware: %s is called without a transport", spec.Operation()))
		return func(ctx context.Context, request any) (any, error) {
			call := transport.FromContext(ctx)
			if call == nil {
				return nil, noCall
			}
			served := new(authenticated)
			served.Context = ctx
			served.limited.Context, served.limited.limit, served.limited.begun = ctx, c.limit, time.Now()
			p, err := served.ask(inner, call)
			switch {
			case err == nil:
				served.principal = p
				return next(&served.principalContext, request)
			case lets && none(err):
				served.none = err
				return next(&served.principalContext, request)
			}
			return nil, refused(ctx, call, err)
		}
	}
}

func unwired(spec endpoint.Spec, authenticator Authenticator, wrong error) error {
	switch {
	case wrong != nil:
		return errUnwired.WithCause(fmt.Errorf("auth: Middleware: %s: %w", spec.Operation(), wrong))
	case authenticator == nil:
		return errUnwired.WithCause(fmt.Errorf("auth: Middleware: %s: the Authenticator is nil", spec.Operation()))
	case spec.Side == endpoint.Client:
		return errUnwired.WithCause(fmt.Errorf("auth: Middleware is for servers, and %s is a client's; see Credentials", spec.Operation()))
	}
	return nil
}

// refused returns the error for the caller, and sets the challenges.
func refused(ctx context.Context, call *transport.Info, err error) error {
	if gone := ctx.Err(); gone != nil {
		return status.From(gone).WithCause(errors.Join(gone, err)) // of which nothing is shown
	}
	if errors.Is(err, ErrUnavailable) {
		return errUnavailable.WithCause(err)
	}
	if all := challenges(err); len(all) > 0 && call.Response != nil {
		call.Response.Set(challengeHeader, all...)
	}
	if none(err) {
		return errMissing.WithCause(err)
	}
	return errInvalid.WithCause(err)
}

// Expiring ends streams when the credentials of their caller expire, with Unauthenticated and ReasonExpired, whatever the endpoint makes of
// it: the context ends, and so do those of the calls made with it, and no message comes in or goes out any more. It goes into
// ServerMiddleware: around an endpoint, in the process, and on a grpc.Server that is not of NewGRPCServer it does not end the waiting for a
// message that does not come. Calls that are no streams go on to their end, as do those whose Principal never expires. Middleware does it
// by itself: Expiring is for those who know their callers in another way, by WithPrincipal.
func Expiring() endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		if spec.Kind == endpoint.Unary {
			return next
		}
		return func(ctx context.Context, request any) (any, error) {
			p := PrincipalOf(ctx)
			if p == nil || p.Expires.IsZero() {
				return next(ctx, request)
			}
			expired := errExpired.WithCause(fmt.Errorf("auth: those of %v, at %v", p, p.Expires))
			ctx, cancel := context.WithDeadlineCause(ctx, p.Expires, expired)
			defer cancel()
			if m, ok := request.(*endpoint.Messages); ok && m != nil {
				alive := func(any) error {
					if ctx.Err() != nil && context.Cause(ctx) == error(expired) { //nolint:errorlint // and not that of another
						return expired
					}
					return nil
				}
				request = m.WithHooks(alive, alive)
			}
			response, err := next(ctx, request)
			if ctx.Err() != nil && context.Cause(ctx) == error(expired) { //nolint:errorlint // as above
				return nil, expired
			}
			return response, err
		}
	}
}
