package endpoint

import (
	"context"

	"github.com/ashlar-go/ashlar/status"
)

// Validate refuses requests whose own Validate method returns an error, before the endpoint sees them: InvalidArgument that
// lists every violation, by field (see status.Invalid). On a stream it checks each message that the client sends. Requests
// without the method pass.
func Validate() Middleware {
	return validate(func(request any) error {
		if v, ok := request.(interface{ Validate() error }); ok {
			return v.Validate()
		}
		return nil
	})
}

// ValidateFunc is Validate by a function, for requests whose type cannot have the method. Requests of other types pass.
func ValidateFunc[Req any](check func(request Req) error) Middleware {
	return validate(func(request any) error {
		if r, ok := request.(Req); ok {
			return check(r)
		}
		return nil
	})
}

func validate(check func(request any) error) Middleware {
	hook := func(request any) error {
		if err := check(request); err != nil {
			return status.Invalid(err)
		}
		return nil
	}
	return func(_ Spec, next Handler) Handler {
		return func(ctx context.Context, request any) (any, error) {
			if m, ok := request.(*Messages); ok {
				m.OnIn(hook)
			} else if err := hook(request); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}
	}
}
