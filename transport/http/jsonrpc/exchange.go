package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"runtime/debug"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one call and its answer, from the first hook to the last.
type exchange struct {
	server  *Server
	request Request
	ctx     context.Context
	header  header
	answer  *buffer.Buffer // nil for a notification
	outcome Outcome
}

// errUnfinished is the outcome of a call whose endpoint ended its goroutine.
var errUnfinished = status.New(status.Internal, "the endpoint did not return")

// run serves the call c, which came with the HTTP request that ctx is of. Whatever panics, it returns.
func (x *exchange) run(ctx context.Context, c *call) {
	x.request = Request{Method: c.method, Params: c.params, ID: c.id}
	x.outcome.RequestSize = int64(c.size)
	if c.id != nil {
		x.answer = buffer.Get()
	}
	x.describe(ctx)
	defer x.survive()
	err := error(errUnfinished)
	defer func() { x.finish(recover(), err) }()
	for _, hook := range x.server.config.before {
		ctx := hook(x.ctx, &x.request)
		if ctx == nil {
			panic("a ServerBefore hook returned a nil context")
		}
		x.ctx = ctx
	}
	err = x.server.method.serve(x)
}

// describe makes the context of the call from that of the HTTP request.
func (x *exchange) describe(ctx context.Context) {
	info := transport.Info{Operation: x.server.operation, RequestSize: x.outcome.RequestSize, Response: &x.header, Trailer: &x.header}
	if around := transport.FromContext(ctx); around != nil {
		info.Transport, info.Peer, info.TLS, info.Request = around.Transport, around.Peer, around.TLS, around.Request
	}
	x.ctx, x.request.Info = transport.NewServerContext(ctx, info)
}

// succeed writes the answer with the result that encode appends.
func (x *exchange) succeed(encode func(dst []byte) ([]byte, error)) error {
	out, err := encode(appendResult(x.answer.B))
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	x.answer.B = appendID(out, x.request.ID)
	return nil
}

// finish contains a panic, given as what recover returned, answers with the error, and runs the finalizers.
func (x *exchange) finish(panicked any, err error) {
	defer x.finalize() // also when what reports an error panics
	if panicked != nil {
		err = &endpoint.PanicError{Value: panicked, Stack: debug.Stack()}
	}
	if err == nil {
		return
	}
	f := failureOf(err)
	x.fail(f)
	x.outcome.Err = f.status
	for _, hook := range x.server.config.onError {
		hook(x.ctx, f.status)
	}
	if len(x.server.config.onError) == 0 && f.status.ID != "" && status.As(err) == nil {
		logTo(x.ctx, x.server.operation, f.status)
	}
}

// fail answers with f, whatever the answer was to be.
func (x *exchange) fail(f failure) {
	if x.answer == nil {
		return
	}
	x.answer.B = appendID(appendError(x.answer.B[:0], f), x.request.ID)
	x.outcome.Code = f.code
}

func (x *exchange) finalize() {
	if x.answer != nil {
		x.outcome.ResponseSize = int64(len(x.answer.B))
		x.request.Info.ResponseSize = x.outcome.ResponseSize
	}
	for _, hook := range x.server.config.finalizers {
		hook(x.ctx, &x.request, x.outcome)
	}
}

// survive is deferred around all hooks: one that panics after the call has been answered leaves the answer as it is.
func (x *exchange) survive() {
	value := recover()
	if value == nil {
		return
	}
	f := failureOf(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
	if x.answer != nil && len(x.answer.B) == 0 {
		x.fail(f)
	}
	logTo(x.ctx, x.server.operation, f.status)
}

// logTo writes what the caller is not shown to where net/http writes its own errors. A request log that has had the error has made a status
// of it.
func logTo(ctx context.Context, operation string, err *status.Error) {
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](err); ok {
		stack = p.Stack
	}
	logf := log.Printf
	if s, ok := ctx.Value(http.ServerContextKey).(*http.Server); ok && s.ErrorLog != nil {
		logf = s.ErrorLog.Printf
	}
	logf("%s: %v\n%s", operation, err, stack)
}
