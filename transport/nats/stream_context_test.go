package natstransport_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// What has been sent until a call is given up is not all of it, though in ends without an error.
func TestAnInThatEndsWithTheContextIsNoEnd(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	call := stream(t, func(_ context.Context, in inSeq, _ func(*number) error) error {
		for _, err := range in {
			if err != nil {
				read <- err
				return err
			}
		}
		read <- nil
		return nil
	}, nil)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		err := call(ctx, func(yield func(*number, error) bool) {
			if yield(&number{1}, nil) {
				cancel()
			}
		}, func(*number) error { return nil })
		if status.CodeOf(err) != status.Canceled {
			t.Fatalf("client: want canceled, have %v", err)
		}
		if err := wait(t, read, "the server"); status.CodeOf(err) != status.Canceled {
			t.Fatalf("server: want canceled, have %v", err)
		}
	}
}

// The hooks that see the response's header make another context, while that of the call may end.
func TestAStreamMayBeGivenUpWhileHooksRun(t *testing.T) {
	t.Parallel()
	answered := make(chan struct{})
	call := stream(t, func(ctx context.Context, _ inSeq, out func(*number) error) error {
		_ = out(&number{})
		<-ctx.Done()
		return ctx.Err()
	}, nil, natstransport.ClientAfter(func(ctx context.Context, _ transport.Header) context.Context {
		close(answered)
		return context.WithValue(ctx, ctxKey("after"), "after")
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-answered
		cancel()
	}()
	held := make(chan struct{})
	defer close(held)
	if err := call(ctx, func(func(*number, error) bool) { <-held }, func(*number) error { return nil }); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
}
