package auth

import (
	"context"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

// Forward returns a middleware for clients that sends on the header field Authorization of the call that is being served, so that the next
// service sees the same caller. Give it only to clients of services that you would trust with your caller's credentials: they can do with
// them what the caller can. Calls made outside of any that is served, or of one without the field, go without; so do those of a caller whom
// nobody has proved to be anybody, or whose certificate has: then nobody has looked at the field. On the endpoint of a server every call
// fails: it is the program that is wrong.
func Forward() endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		if spec.Side != endpoint.Client {
			err := errUnwired.WithCause(fmt.Errorf("auth: Forward is for clients, and %s is a server's; see Spec.Client", spec.Operation()))
			return func(context.Context, any) (any, error) { return nil, err }
		}
		return func(ctx context.Context, request any) (any, error) {
			call, p := transport.FromContext(ctx), PrincipalOf(ctx)
			if call == nil || call.Request == nil || p == nil || p.Method == "mtls" {
				return next(ctx, request)
			}
			if values := call.Request.Values("Authorization"); len(values) > 0 {
				ctx = transport.WithHeader(ctx, "Authorization", values...)
			}
			return next(ctx, request)
		}
	}
}
