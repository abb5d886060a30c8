package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
)

// Rejudge asks a again about streams while they go on, once in every, 10 ms to an hour: it is for what a Source or a policy says by now,
// where Middleware has judged when the stream began. One that is not allowed any more ends with the error with which it would not have
// begun: its context ends, and nothing more comes in or goes out, also where the endpoint ignores that. One that a cannot decide on ends,
// too, as does one on which it panics.
//
// It goes inside of Middleware, and with that into ServerMiddleware: around an endpoint it does not end the waiting for a message that does
// not come. It looks at the caller as of the beginning: for credentials that expire see auth.Expiring. Calls that are
// no streams go on to their end. Each stream has a goroutine more, which ends before the stream does.
func Rejudge(a Authorizer, every time.Duration) endpoint.Middleware {
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		judge, err := judgeOf(a, spec)
		if err == nil {
			err = option.Within("the time between", every, minInterval, maxInterval)
		}
		switch {
		case err != nil:
			return refuse(errUnwired.WithCause(fmt.Errorf("authz: Rejudge: %s: %w", spec.Operation(), err)))
		case spec.Kind == endpoint.Unary:
			return next
		}
		return func(ctx context.Context, request any) (any, error) { return rejudged(ctx, request, next, judge, every) }
	}
}

var errEnded = errUnwired.WithCause(errors.New("authz: Rejudge: the Authorizer ended its goroutine"))

func rejudged(
	ctx context.Context, request any, next endpoint.Handler, judge func(context.Context) error, every time.Duration,
) (any, error) {
	var failed atomic.Pointer[error]
	check := func(any) error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
	if m, ok := request.(*endpoint.Messages); ok && m != nil {
		request = m.WithHooks(check, check)
	}
	fields := make(transport.HeaderMap)
	info := transport.Info{Request: fields} // of its own, as those of the call belong to the stream
	if call := transport.FromContext(ctx); call != nil {
		info.Transport, info.Operation, info.Peer, info.TLS = call.Transport, call.Operation, call.Peer, call.TLS
		if call.Request != nil {
			for key, values := range call.Request.All() {
				fields.Set(key, slices.Clone(values)...)
			}
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	asked, _ := transport.NewServerContext(ctx, info)
	var asking sync.WaitGroup
	asking.Go(func() {
		var err error = errEnded // should judge end this goroutine
		defer func() {
			if err != nil {
				failed.Store(&err)
				cancel(err)
			}
		}()
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				err = nil
				return
			case <-ticker.C:
			}
			refused := judgeAgain(asked, judge)
			if refused != nil && ctx.Err() == nil {
				err = refused
				return
			}
		}
	})
	defer asking.Wait()
	defer cancel(nil)
	response, err := next(ctx, request)
	if refused := failed.Load(); refused != nil {
		return nil, *refused
	}
	return response, err
}

// judgeAgain is on a goroutine that nobody else keeps from ending the process.
func judgeAgain(ctx context.Context, judge func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = errUnwired.WithCause(fmt.Errorf("authz: Rejudge: the Authorizer panicked: %v", value))
		}
	}()
	return judge(ctx)
}
