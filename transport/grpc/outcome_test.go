package grpctransport_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// What became of a stream is what its client was told, whatever the stream makes of it.
func TestAFinalizerSeesWhatTheClientWasTold(t *testing.T) {
	t.Parallel()
	own, secret := status.New(status.NotFound, "another"), errors.New("hunter2")
	tooLarge := &ask{Payload: zeros(grpctransport.DefaultMaxRequest)}
	readAll := func(in asks) {
		for range in { // until its end
		}
	}
	for name, tt := range map[string]struct {
		stream endpoint.Stream[*ask, *answer]
		ask    *ask
		want   status.Code
		cause  error // that is in the outcome as well
	}{
		"received too much, and replaces it": {func(_ context.Context, in asks, _ func(*answer) error) error {
			readAll(in)
			return own
		}, tooLarge, status.ResourceExhausted, own},
		"received too much, and goes on": {func(_ context.Context, in asks, out func(*answer) error) error {
			readAll(in)
			_ = out(&answer{})
			return nil
		}, tooLarge, status.ResourceExhausted, nil},
		"sends too much, and replaces it": {func(_ context.Context, _ asks, out func(*answer) error) error {
			_ = out(&answer{Payload: zeros(200)})
			return own
		}, &ask{}, status.ResourceExhausted, own},
		"cannot encode, and calls it canceled": {func(ctx context.Context, _ asks, out func(*answer) error) error {
			_ = out(nil)
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx.Err()
		}, &ask{}, status.Internal, secret},
	} {
		outcomes := make(chan error, 1)
		address := start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.MaxSendMsgSize(100))),
			grpctransport.NewStreamServer(talkSpec, tt.stream,
				grpctransport.ServerErrorHandler(func(context.Context, error) {}),
				grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err }),
				grpctransport.ServerEncoder(func(_ context.Context, a *answer) (*answer, error) {
					if a == nil {
						return nil, secret
					}
					return a, nil
				})))
		err := newStreamClient[*ask, *answer](t, talkSpec, dial(t, address))(t.Context(), endpoint.Seq(tt.ask), nil)
		outcome := receive(t, outcomes)
		if status.CodeOf(err) != tt.want || status.CodeOf(outcome) != tt.want || tt.cause != nil && !errors.Is(outcome, tt.cause) {
			t.Errorf("%s: want %v on both sides, and %v in its cause, have %v and %v", name, tt.want, tt.cause, err, outcome)
		}
	}
}

// A client that goes away changes nothing about why a stream failed for a reason of its own.
func TestAnErrorOfAStreamWhoseClientWentIsKept(t *testing.T) {
	t.Parallel()
	outcomes := make(chan error, 1)
	call := talk(t, func(_ context.Context, in asks, out func(*answer) error) error {
		_ = out(&answer{})
		for range in { // until its client has gone
		}
		return status.New(status.NotFound, "none")
	}, []grpctransport.ServerOption{grpctransport.ServerFinalizer(func(_ context.Context, o grpctransport.Outcome) { outcomes <- o.Err })})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = call(ctx, untilDone(ctx), func(*answer) error { cancel(); return nil })
	if have := receive(t, outcomes); status.CodeOf(have) != status.NotFound {
		t.Errorf("want not found, have %v", have)
	}
}
