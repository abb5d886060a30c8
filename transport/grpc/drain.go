package grpctransport

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/status"
)

var errShutdown = status.New(status.Unavailable, "the server is shutting down").WithReason("SHUTTING_DOWN")

// drain knows the streams of a server, Ashlar's and others, and how to end them.
type drain struct {
	ctx    context.Context // ends when streams have to
	cancel context.CancelFunc
	open   sync.WaitGroup // handlers
}

func newDrain() *drain {
	d := new(drain)
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

func (d *drain) end() { d.cancel() }

func (d *drain) wait() { d.open.Wait() }

// drained is a stream whose context ends with the drain.
type drained struct {
	grpc.ServerStream

	ctx context.Context
}

func (s *drained) Context() context.Context { return s.ctx }

// intercept runs the handler on a goroutine of its own, since what a handler waits for, a message of its client or room to send one,
// ends only with its stream, and the stream ends when this returns.
func (d *drain) intercept(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	done := make(chan error, 1)
	d.open.Go(func() {
		err := wire(errUnfinished, DefaultMaxError).Err() // should the handler end its goroutine
		defer func() { done <- err }()
		err = handler(srv, &drained{ServerStream: stream, ctx: ctx})
	})
	select {
	case err := <-done:
		return err
	case <-d.ctx.Done():
	}
	select {
	case err := <-done: // at the same time
		return err
	default:
		cancel(errShutdown)
		return wire(errShutdown, DefaultMaxError).Err()
	}
}
