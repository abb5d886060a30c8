package transporttest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// endless has the deadline of a context, and does not end.
type endless struct{ context.Context }

func (endless) Done() <-chan struct{} { return nil }
func (endless) Err() error            { return nil }

// undated ends as a context does, and has no deadline.
type undated struct{ context.Context }

func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }

func brokenContexts() []breakage {
	return []breakage{{
		name:   "loses deadlines",
		notice: []string{"Deadline"},
		server: within(func(ctx context.Context) context.Context { return undated{ctx} }),
	}, {
		name:   "cuts calls after an hour",
		notice: []string{"NoDeadline", "Timeout"},
		server: within(func(ctx context.Context) context.Context {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			context.AfterFunc(ctx, cancel)
			return ctx
		}),
	}, {
		name:   "does not tell the server of the end",
		notice: []string{"Cancel", "DeadlineEnds", "Timeout", "MiddlewareEnd", "Finalizers", "ManyStreams"},
		server: within(func(ctx context.Context) context.Context { return endless{ctx} }),
	}, leaky(), {
		name:   "sends what has been cancelled before",
		notice: []string{"CanceledBefore", "DeadlinePassed", "ManyStreams"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				if ctx.Err() == nil {
					return s(ctx, in, out)
				}
				_ = s(context.WithoutCancel(ctx), in, out)
				return status.From(ctx.Err()).WithCause(errors.Join(ctx.Err(), transport.ErrNotSent))
			}
		},
	}}
}

// leaky gives the server the values of the client.
func leaky() breakage {
	var last atomic.Pointer[context.Context] // of the client that called last
	return breakage{
		name:   "gives the server the values of the client",
		notice: []string{"ContextValues", "HeaderStaysHere"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				last.Store(&ctx)
				return s(ctx, in, out)
			}
		},
		server: within(func(ctx context.Context) context.Context { return both{ctx, *last.Load()} }),
	}
}

// both is a context with the values of another one besides.
type both struct {
	context.Context

	client context.Context
}

func (c both) Value(key any) any {
	if value := c.Context.Value(key); value != nil {
		return value
	}
	return c.client.Value(key)
}
