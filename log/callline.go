package log

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// errNotReturned is what is known of a call that neither returned nor was recovered.
var errNotReturned = errors.New("the endpoint did not return: it panicked, or ended its goroutine")

// end writes the line of a call that has ended with err, if it is to be written.
func (r *requestLog) end(ctx context.Context, c *call, err error) {
	now := time.Now()
	duration := now.Sub(c.start)
	slow := r.slow > 0 && duration >= r.slow
	code := status.CodeOf(err)
	l := r.levels[code]
	if slow {
		l = max(l, LevelWarn)
	}
	if !Enabled(r.logger, l) || err == nil && !slow && !r.samples.allow(now) {
		return
	}
	const usual = 48
	line := make(keyvals, 0, usual)
	line.add(level.Key(), levelValue(l))
	line.add(messageKey, "call")
	line.add("side", r.spec.Side.String())
	line.add("operation", r.operation)
	line.add("kind", r.spec.Kind.String())
	info := transport.FromContext(ctx)
	if c.observer != nil {
		made := c.observer.Info()
		info = &made
	}
	if info != nil {
		line.addText("transport", info.Transport)
		line.addText("peer", info.Peer)
	}
	line.add("code", code.String())
	line.add("duration", duration)
	if info != nil {
		line.addCount("request_size", info.RequestSize)
		line.addCount("response_size", info.ResponseSize)
	}
	if c.messages != nil {
		line.add("messages_in", c.messages.in.Load())
		line.add("messages_out", c.messages.out.Load())
	}
	if slow {
		line.add("slow", true)
	}
	line.addText("trace_id", r.trace(ctx, c))
	line.addError(err)
	line.addCount("dropped", int64(r.samples.dropped.Swap(0)))
	for _, fields := range r.fields {
		line.addFields(ctx, fields)
	}
	_ = r.logger.Log(line...) // see Middleware
}

// trace returns the id of the trace that the call belongs to.
func (r *requestLog) trace(ctx context.Context, c *call) string {
	if r.traceID != nil {
		return guarded(func() string { return r.traceID(ctx) })
	}
	if c.observer != nil {
		made := c.observer.Info()
		if id := headerTraceID(&made); id != "" {
			return id // of what a client has sent
		}
	}
	return headerTraceID(transport.FromContext(ctx))
}

// keyvals is a line in the making.
type keyvals []any

func (k *keyvals) add(key, value any) { *k = append(*k, key, value) }

func (k *keyvals) addText(key, text string) {
	if text != "" {
		k.add(key, text)
	}
}

func (k *keyvals) addCount(key string, n int64) {
	if n != 0 {
		k.add(key, n)
	}
}

func (k *keyvals) addError(err error) {
	if err == nil {
		return
	}
	if e := status.As(err); e != nil {
		k.addText("error_id", e.ID)
	}
	// The text, and not the error, which as a status is written by its MarshalJSON: without the cause.
	k.add("err", guarded(err.Error))
	if caught, ok := errors.AsType[*endpoint.PanicError](err); ok {
		k.add("stack", string(caught.Stack))
	} else if errors.Is(err, errNotReturned) {
		k.add("stack", string(debug.Stack()))
	}
}

func (k *keyvals) addFields(ctx context.Context, fields func(context.Context) []any) {
	k.addText("fields", guarded(func() string {
		*k = append(*k, fields(ctx)...)
		return ""
	}))
	if len(*k)%2 != 0 {
		*k = append(*k, kitlog.ErrMissingValue)
	}
}
