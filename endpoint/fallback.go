package endpoint

import (
	"context"
	"errors"
)

// Fallback answers in the place of a unary endpoint that failed: f gets the request and the error, and returns what the
// caller gets; for an error that it has no answer to it returns that error. It is not called when the
// caller itself has gone. Streams pass untouched, since some of their messages may have been sent.
//
// Req and Resp are those of the endpoint; in front of another type the call's own error is joined with a *TypeError.
func Fallback[Req, Resp any](f func(ctx context.Context, request Req, err error) (Resp, error)) Middleware {
	return func(spec Spec, next Handler) Handler {
		if spec.Kind != Unary {
			return next
		}
		return func(ctx context.Context, request any) (any, error) {
			response, err := next(ctx, request)
			if err == nil || ctx.Err() != nil {
				return response, err
			}
			req, ok := request.(Req)
			if !ok && !isNilOf[Req](request) {
				return response, errors.Join(err, mismatch[Req](spec.Operation(), "request", request))
			}
			return f(ctx, req, err)
		}
	}
}
