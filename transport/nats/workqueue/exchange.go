package workqueue

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one delivery, from the first hook to the last. It is the context of all that happens with it.
type exchange struct {
	context.Context // ends when the message is not to be worked on any more

	worker   *Worker
	msg      *nats.Msg
	cancel   context.CancelCauseFunc
	deadline time.Time
	delivery Delivery
	ctx      context.Context // with what the hooks made of it
	info     *transport.Info
	response fields
	outcome  Outcome

	sign      atomic.Int64 // when JetStream was last told of it, in the time of the worker
	abandoned atomic.Bool  // given back although the endpoint works on

	signing sync.Mutex
	settled bool // JetStream is told what becomes of it, and that is the last that it hears
}

// Value finds the delivery.
func (x *exchange) Value(key any) any {
	if key == (deliveryKey{}) {
		return &x.delivery
	}
	return x.Context.Value(key)
}

// Causes of a context that has ended, for context.Cause.
var (
	// ErrStopped says that the worker was stopped, and did not wait for the endpoint.
	ErrStopped = errors.New("the worker was stopped")
	// ErrLost says that the worker has lost the message: JetStream was not told of it for the AckWait, and delivers it again.
	ErrLost = errors.New("the message is no longer this worker's")
	// ErrTimeLimit says that the endpoint has worked for the ServerTimeLimit.
	ErrTimeLimit = errors.New("the time limit for one message is reached")
)

// errUnfinished is what becomes of an endpoint that ended its goroutine.
var errUnfinished = status.New(status.Internal, "the endpoint did not return")

// newExchange makes the exchange of a delivery. It fails for a message that JetStream has not delivered.
func (w *Worker) newExchange(msg *nats.Msg) (*exchange, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("a message on %q is no delivery of JetStream: %w", msg.Subject, err)
	}
	x := &exchange{worker: w, msg: msg, deadline: time.Now().Add(w.server.timeLimit), delivery: Delivery{
		Stream: meta.Stream, Consumer: meta.Consumer, Subject: msg.Subject, Sequence: meta.Sequence.Stream, Attempt: int(meta.NumDelivered),
		Limit: w.server.maxDeliver, Stored: meta.Timestamp, Pending: meta.NumPending, Data: msg.Data,
	}}
	ctx, cancel := context.WithCancelCause(w.base)
	limited, stop := context.WithDeadlineCause(ctx, x.deadline, ErrTimeLimit)
	x.Context, x.cancel = limited, func(cause error) { cancel(cause); stop() }
	info := w.about()
	info.Request, info.Response, info.Trailer = received(msg.Header), &x.response, &x.response
	info.RequestSize = int64(len(msg.Data))
	x.ctx, x.info = transport.NewServerContext(x, info)
	x.sign.Store(int64(w.now()))
	return x, nil
}

// serve takes the delivery from the first hook to the last.
func (x *exchange) serve() {
	defer x.cancel(nil)
	defer x.finish()
	x.outcome.Err = errUnfinished
	x.outcome.Err = x.attempt()
}

// finish tells what came of the delivery. It is deferred, since an endpoint may end its goroutine.
func (x *exchange) finish() {
	if err := x.outcome.Err; err != nil {
		x.outcome.Err = statusOf(err)
		x.guard(func() { x.observe(err) })
	}
	x.settle()
	x.outcome.RequestSize, x.outcome.ResponseSize = x.info.RequestSize, x.info.ResponseSize
	for _, hook := range x.worker.server.finalizers {
		x.guard(func() { hook(x.ctx, x.outcome) })
	}
}

// statusOf is status.From. Where the methods of err panic, as those of a nil pointer do, that panic is the error.
func statusOf(err error) (e *status.Error) {
	defer func() {
		if value := recover(); value != nil {
			e = status.From(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
		}
	}()
	return status.From(err)
}

// attempt runs the hooks and the endpoint, and contains their panics.
func (x *exchange) attempt() (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	if x.delivery.Attempt > x.delivery.Limit {
		return status.Errorf(status.Unknown, "this is delivery %d of at most %d, and the last ones did not come to an end",
			x.delivery.Attempt, x.delivery.Limit).WithReason(ReasonDeliveries)
	}
	for _, hook := range x.worker.server.before {
		ctx := hook(x.ctx)
		if ctx == nil {
			panic("a ServerBefore hook returned a nil context")
		}
		x.ctx = ctx
	}
	return x.worker.server.run(x)
}

// guard contains the panic of a hook that tells of something, which changes nothing about that.
func (x *exchange) guard(f func()) {
	defer func() {
		if value := recover(); value != nil {
			log.Printf("%s: a hook panicked: %v\n%s", x.info.Operation, value, debug.Stack())
		}
	}()
	f()
}

// observe tells those on this side of an error.
func (x *exchange) observe(err error) {
	shown := status.From(x.outcome.Err)
	for _, hook := range x.worker.server.onError {
		hook(x.ctx, shown)
	}
	if len(x.worker.server.onError) > 0 || shown.ID == "" || status.As(err) != nil {
		return
	}
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](err); ok {
		stack = p.Stack
	}
	log.Printf("%s: %s: %v\n%s", x.info.Operation, x.delivery.ID(), shown, stack)
}

// codecOf returns the codec that reads the message being served.
func codecOf(ctx context.Context, codecs *codec.Set) (codec.Codec, error) {
	contentType := ""
	if info := transport.FromContext(ctx); info != nil {
		contentType = info.Request.Get(contentTypeField)
	}
	if contentType == "" {
		return codecs.Default(), nil
	}
	by, err := codecs.ForType(contentType)
	if err != nil {
		return nil, status.Invalid(errors.Join(status.Violation{Field: contentTypeField, Description: err.Error()}, err))
	}
	return by, nil
}
