package endpoint

import (
	"context"
	"fmt"
	"time"
)

// Timeout gives each unary call at most d, where the caller's own deadline is not sooner. The endpoint runs on the caller's
// goroutine and is expected to heed its context: nothing is buffered, abandoned or raced.
//
// Streams pass untouched: how long they live is for their contexts and their transports' idle limits to say.
// It panics unless d is positive.
func Timeout(d time.Duration) Middleware {
	if d <= 0 {
		panic(fmt.Sprintf("endpoint: Timeout of %v, want more than 0", d))
	}
	return func(spec Spec, next Handler) Handler {
		if spec.Kind != Unary {
			return next
		}
		return func(ctx context.Context, request any) (any, error) {
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
				return next(ctx, request)
			}
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return next(ctx, request)
		}
	}
}
