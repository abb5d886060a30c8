package endpoint

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/ashlar-go/ashlar/status"
)

// PanicError is what a recovered panic became. It does not unwrap to the value of the panic, so that even a panic with a
// status reaches the caller as Internal.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine that panicked, as of debug.Stack
}

// Error returns "panic: " and the value; the stack is for the log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Recover turns a panic below it into an error: Internal with an ID for the caller, whose cause is a *PanicError with
// the stack. The request log writes both; report, which may be nil, is called besides, before the error is returned.
// On a stream it covers what runs on the stream's own goroutine. A panic on a goroutine that the endpoint started cannot
// be recovered by anyone but that goroutine.
func Recover(report func(ctx context.Context, spec Spec, err *PanicError)) Middleware {
	return func(spec Spec, next Handler) Handler {
		return func(ctx context.Context, request any) (response any, err error) {
			defer func() {
				value := recover()
				if value == nil {
					return
				}
				caught := &PanicError{Value: value, Stack: debug.Stack()}
				if report != nil {
					report(ctx, spec, caught)
				}
				response, err = nil, status.From(caught)
			}()
			return next(ctx, request)
		}
	}
}
