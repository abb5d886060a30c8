package transporttest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

func brokenPanics() []breakage {
	return []breakage{{
		name:   "lets panics through",
		notice: []string{"Panics", "PanicAfterMessages", "Finalizers", "HiddenError", "UnencodableResponse"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				err := s(ctx, in, out)
				if e := status.As(err); e != nil && e.Code == status.Internal && e.ID != "" && e.Cause == nil {
					panic("through") // as all hidden errors, panics among them
				}
				return err
			}
		},
	}, {
		name:   "tells what it, or its client, panicked with",
		notice: []string{"Panics", "PanicAfterMessages", "PanicOfIn", "PanicOfOut"},
		server: func(s stream) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) (err error) {
				defer func() {
					if value := recover(); value != nil {
						err = status.New(status.Internal, fmt.Sprint(value))
					}
				}()
				return s(ctx, in, out)
			}
		},
	}, {
		name:   "keeps the panics of its clients",
		notice: []string{"PanicOfIn", "PanicOfOut"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) (err error) {
				defer func() {
					if value := recover(); value != nil {
						err = status.New(status.Internal, fmt.Sprint(value))
					}
				}()
				return s(ctx, in, out)
			}
		},
	}, {
		name:   "forgets finalizers when it panics",
		notice: []string{"Panics", "Finalizers"},
		serve: finalizing(func(hook finalizer) finalizer {
			return func(ctx context.Context, o transporttest.Outcome) {
				if _, ok := errors.AsType[*endpoint.PanicError](o.Err); !ok {
					hook(ctx, o)
				}
			}
		}),
	}, {
		name:   "tells finalizers of a panic no more than clients",
		notice: []string{"Panics"},
		serve: finalizing(func(hook finalizer) finalizer {
			return func(ctx context.Context, o transporttest.Outcome) {
				if _, ok := errors.AsType[*endpoint.PanicError](o.Err); ok {
					e := *status.As(o.Err)
					e.Cause = nil
					o.Err = &e
				}
				hook(ctx, o)
			}
		}),
	}}
}

type finalizer = func(ctx context.Context, outcome transporttest.Outcome)

// finalizing changes the finalizers of a server.
func finalizing(change func(hook finalizer) finalizer) func(o *transporttest.Operation) {
	return func(o *transporttest.Operation) {
		for i, hook := range o.Hooks.Finalizer {
			o.Hooks.Finalizer[i] = change(hook)
		}
	}
}
