package grpctransport

import (
	"context"
	"iter"
	"log"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/endpoint"
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

// ender ends a stream before its handler returns.
type ender struct {
	done <-chan struct{} // of the stream's context
	why  chan error
}

type enderKey struct{}

// bound ends the stream when the context does with which the ServerMiddleware went on: what the endpoint waits for, a message or room for
// one, ends with the stream only. On other servers than those of NewGRPCServer what it waits for ends later, with the client.
func bound[In, Out any](stream endpoint.Stream[In, Out]) endpoint.Stream[In, Out] {
	return func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
		e, _ := ctx.Value(enderKey{}).(*ender)
		if e != nil && ctx.Done() != e.done {
			defer context.AfterFunc(ctx, func() { e.why <- ended(ctx) })()
		}
		if e == nil || ctx.Done() != e.done {
			send := out
			out = func(message Out) error { // the stream may end a moment later
				if ctx.Err() != nil {
					return ended(ctx)
				}
				return send(message)
			}
		}
		err := stream(ctx, in, out)
		if err == nil && ctx.Err() != nil {
			return ended(ctx)
		}
		return err
	}
}

// intercept runs the handler on a goroutine of its own, since what a handler waits for, a message of its client or room to send one,
// ends only with its stream, and the stream ends when this returns.
func (d *drain) intercept(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	own := &ender{done: ctx.Done(), why: make(chan error, 1)}
	ctx = context.WithValue(ctx, enderKey{}, own)
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
	var why error = errShutdown
	select {
	case h := <-done:
		return h.result()
	case why = <-own.why:
	case <-d.ctx.Done():
	}
	select {
	case h := <-done: // at the same time
		return h.result()
	default:
		cancel(why)
		return wire(status.From(why), DefaultMaxError).Err()
	}
}
