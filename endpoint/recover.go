package endpoint

import (
	"context"
	"fmt"
	"runtime/debug"
)

// PanicError is what a recovered panic became. It does not unwrap to the value of the panic, so that even a panic with a
// status reaches the caller as Internal.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine that panicked, as of debug.Stack
}

// Error returns "panic: " and the value; the stack is for the log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Recover turns a panic below it into a *PanicError, which is Internal to the caller. The request log outside of it writes
// the stack, and so does the server's transport where there is no request log. On a stream it covers what runs on the stream's
// own goroutine. A panic on a goroutine that the endpoint started cannot be recovered by anyone but that goroutine.
func Recover() Middleware {
	return func(_ Spec, next Handler) Handler {
		return func(ctx context.Context, request any) (response any, err error) {
			defer func() {
				if value := recover(); value != nil {
					response, err = nil, &PanicError{Value: value, Stack: debug.Stack()}
				}
			}()
			return next(ctx, request)
		}
	}
}
