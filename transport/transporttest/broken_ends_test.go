package transporttest_test

import (
	"context"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

func brokenEnds() []breakage {
	return []breakage{{
		name:   "takes the errors of its clients for a cancellation",
		notice: []string{"ErrorOfIn", "ErrorOfOnlyIn", "ErrorOfOut", "ErrorOfLastOut"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				var own atomic.Bool
				err := s(ctx, func(yield func(message, error) bool) {
					for m, err := range in {
						own.Store(own.Load() || err != nil)
						if !yield(m, err) {
							return
						}
					}
				}, func(m message) error {
					err := out(m)
					own.Store(own.Load() || err != nil)
					return err
				})
				if own.Load() {
					return status.New(status.Canceled, "somebody broke off")
				}
				return err
			}
		},
	}, {
		name:   "ends the requests cleanly whatever happens",
		notice: []string{"ErrorOfIn", "CancelReading", "GarbledRequest", "GarbledField"},
		server: func(s stream) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				return s(ctx, func(yield func(message, error) bool) {
					for m, err := range in {
						if err != nil || !yield(m, nil) {
							return
						}
					}
				}, out)
			}
		},
	}, {
		name:   "drops responses that nobody takes",
		notice: []string{"ErrorOfOut", "BrokenOffReceive", "Cancel", "ManyStreams", "MiddlewareEnd", "UnencodableResponse"},
		server: func(s stream) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				return s(ctx, in, func(m message) error {
					_ = out(m)
					return nil
				})
			}
		},
	}, {
		name:   "reads all requests before it answers",
		notice: []string{"EarlyReturn", "EarlyError", "ErrorOfOut", "PanicOfOut", "ManyStreams"},
		server: func(s stream) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				return s(ctx, func(yield func(message, error) bool) {
					more := true
					for m, err := range in {
						more = more && yield(m, err)
					}
				}, out)
			}
		},
	}}
}
