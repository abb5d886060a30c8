package authz

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
)

// DefaultLimit is how long an Authorizer may take to decide.
const DefaultLimit = 10 * time.Second

// Authorizer decides whether a caller, nil for nobody, may call an operation. Rules and Sources are such, and what the packages below this
// one make. An error says that it cannot decide: the call is refused. It is safe for concurrent use, and returns when ctx ends: after
// DefaultLimit it has not decided, whatever it says.
type Authorizer interface {
	Authorize(ctx context.Context, operation string, caller *auth.Principal) (Decision, error)
}

// Authorize decides as Explain does. Middleware is the faster way.
func (r *Rules) Authorize(_ context.Context, operation string, caller *auth.Principal) (Decision, error) {
	if r == nil || len(r.all) == 0 {
		return Decision{}, errNoRules
	}
	return r.Explain(operation, caller), nil
}

var (
	errNoRules = errors.New("the Rules are not made by New, Parse or Load")
	errUnmade  = errors.New("the Source is not made by NewSource")
	errClient  = errors.New("it is for servers, and this is a client's")
)

// Middleware refuses the calls that a does not allow, as the Middleware of Rules does and with the same errors; for Rules and Sources it is
// that. Where a cannot decide the call is refused as Internal, or with auth.ErrUnavailable in its error as Unavailable with
// ReasonUnavailable; why is in the cause only. A panic of a goes on, and refuses the call.
func Middleware(a Authorizer) endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		judge, err := judgeOf(a, spec)
		if err != nil {
			return refuse(errUnwired.WithCause(fmt.Errorf("authz: Middleware: %s: %w", spec.Operation(), err)))
		}
		return func(ctx context.Context, request any) (any, error) {
			if err := judge(ctx); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}
	}
}

// judgeOf returns what returns the error for the caller of an operation, nil if he may.
func judgeOf(a Authorizer, spec endpoint.Spec) (judge func(context.Context) error, err error) {
	operation := spec.Operation()
	if v := reflect.ValueOf(a); !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
		return nil, errors.New("the Authorizer is nil")
	}
	if spec.Side == endpoint.Client {
		return nil, errClient
	}
	switch own := a.(type) {
	case *Rules:
		if len(own.all) == 0 {
			return nil, errNoRules
		}
		return own.compile(operation).judge, nil
	case *Source:
		if own.made() == nil {
			return nil, errUnmade
		}
		i := own.slot(operation)
		return func(ctx context.Context) error { return own.used.Load().tables[i].judge(ctx) }, nil
	}
	return func(ctx context.Context) error { return within(ctx, a, operation) }, nil
}

// within asks an Authorizer, which has DefaultLimit.
func within(ctx context.Context, a Authorizer, operation string) error {
	limited, cancel := context.WithTimeout(ctx, DefaultLimit)
	defer cancel()
	err := decide(limited, a, operation)
	if limited.Err() != nil && ctx.Err() == nil {
		late := fmt.Errorf("authz: %s: the Authorizer took longer than %v", operation, DefaultLimit)
		return errUnavailable.WithCause(errors.Join(late, err))
	}
	return err
}

// decide asks an Authorizer of any kind, and returns the error for the caller.
func decide(ctx context.Context, a Authorizer, operation string) error {
	p := auth.PrincipalOf(ctx)
	d, err := a.Authorize(ctx, operation, p)
	switch {
	case err == nil && d.Allowed:
		return nil
	case err == nil:
		d.Operation, d.Caller = operation, p.String() // whatever it says
		if slices.ContainsFunc(d.Scopes, func(scope string) bool { return checkScope(scope) != nil }) {
			d.Scopes = nil // they would go into a header field
		}
		return refused(ctx, p, d)
	case ctx.Err() != nil:
		return fmt.Errorf("authz: %w: %v", ctx.Err(), err) //nolint:errorlint // a status in err would be shown to the caller
	}
	cause := fmt.Errorf("authz: %s by %v: %w", operation, p, err)
	if errors.Is(err, auth.ErrUnavailable) {
		return errUnavailable.WithCause(cause)
	}
	return errUnwired.WithCause(cause)
}
