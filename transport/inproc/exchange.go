package inproc

import (
	"cmp"
	"context"
	"errors"
	"log"
	"runtime/debug"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one call as the server's side sees it, from the first hook to the last. The client makes it.
type exchange struct {
	callContext

	config  *serverConfig
	ctx     context.Context // the callContext, and what the hooks made of it
	info    *transport.Info
	request header

	response, trailer header // the server sets these
	answered          bool   // the ServerAfter hooks have run
	unfit             error  // why the response's header could not be sent

	client context.Context // the client's, with what its hooks made of it
	seen   bool            // the ClientAfter hooks have run

	clientIn, clientOut clientSide // what the client's own in and out did
}

// errUnfinished is the outcome of a call whose endpoint ended its goroutine.
var errUnfinished = status.New(status.Internal, "the endpoint did not return")

// begin runs the hooks that come first. Whoever calls it has deferred finish.
func (x *exchange) begin(operation string, config *serverConfig) {
	x.config = config
	x.values, x.info = transport.NewServerContext(&x.caller, transport.Info{
		Transport: Name, Operation: operation, Request: &x.request, Response: &x.response, Trailer: &x.trailer,
	})
	x.ctx = x
	for _, hook := range config.before {
		x.ctx = hook(x.ctx)
	}
}

// answer runs the hooks that come before the response. It fails when its header cannot be sent.
func (x *exchange) answer() error {
	if x.answered {
		return x.unfit
	}
	x.answered = true
	for _, hook := range x.config.after {
		hook(x.ctx)
	}
	x.response.sent = true
	x.unfit = x.response.refuse()
	return x.unfit
}

// finish is deferred around the server's part of the call. It contains a panic, given as what recover returned, tells
// those on this side of an error, runs the finalizers, and returns what the client may see of the error.
func (x *exchange) finish(panicked any, err error) error {
	defer x.end()
	clients := x.clientPanicked()
	if clients {
		if caught, ok := errors.AsType[*endpoint.PanicError](err); ok && panicked == nil {
			panicked = caught.Value // a middleware on the way took it for the server's
		}
		err = errBrokeOff
	} else if panicked != nil {
		err = &endpoint.PanicError{Value: panicked, Stack: debug.Stack()}
	}
	err = cmp.Or(err, x.unfit, x.response.refuse(), x.trailer.refuse())
	shown := status.From(err)
	outcome := Outcome{RequestSize: x.info.RequestSize, ResponseSize: x.info.ResponseSize}
	if shown != nil {
		x.observe(shown, err)
		outcome.Err = shown
		_, _ = x.response.refuse(), x.trailer.refuse() // what the handlers of errors have set
	}
	x.response.sent, x.trailer.sent = true, true
	for _, hook := range x.config.finalizers {
		hook(x.ctx, outcome)
	}
	if clients && panicked != nil {
		panic(panicked) // on to the client, with the stack that it had
	}
	if shown == nil {
		return nil
	}
	return wire(shown)
}

// observe tells those on this side of an error.
func (x *exchange) observe(shown *status.Error, err error) {
	for _, hook := range x.config.onError {
		hook(x.ctx, shown)
	}
	if len(x.config.onError) > 0 || shown.ID == "" || status.As(err) != nil {
		return
	}
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](shown); ok {
		stack = p.Stack
	}
	log.Printf("%s: %v\n%s", x.info.Operation, shown, stack)
}
