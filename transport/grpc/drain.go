package grpctransport

import (
	"context"
	"log"
	"runtime/debug"
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

// handled is how a handler ended.
type handled struct {
	err      error
	panicked any // what a handler that is not Ashlar's panicked with
}

// result returns what the handler returned, or panics as it did, for the interceptors around to see.
func (h handled) result() error {
	if h.panicked != nil {
		panic(h.panicked)
	}
	return h.err
}

// intercept runs the handler on a goroutine of its own, since what a handler waits for, a message of its client or room to send one,
// ends only with its stream, and the stream ends when this returns.
func (d *drain) intercept(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	done := make(chan handled, 1)
	d.open.Go(func() {
		h := handled{err: wire(errUnfinished, DefaultMaxError).Err()} // should the handler end its goroutine
		defer func() {
			if h.panicked = recover(); h.panicked != nil { // the stack ends here
				log.Printf("%s: panic: %v\n%s", info.FullMethod, h.panicked, debug.Stack())
			}
			done <- h
		}()
		h.err = handler(srv, &drained{ServerStream: stream, ctx: ctx})
	})
	select {
	case h := <-done:
		return h.result()
	case <-d.ctx.Done():
	}
	select {
	case h := <-done: // at the same time
		return h.result()
	default:
		cancel(errShutdown)
		return wire(errShutdown, DefaultMaxError).Err()
	}
}
