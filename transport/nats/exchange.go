package natstransport

import (
	"context"
	"errors"
	"log"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one request and its answer, or one stream, as the server sees it, from the first hook to the last.
type exchange struct {
	callContext

	server *Server
	mount  *mount
	msg    *nats.Msg
	began  time.Time

	ctx         context.Context // the callContext, and what the hooks made of it
	info        *transport.Info
	response    header
	codec       codec.Codec // of the request, and so of the response; nil until it is known
	contentType string      // of the response; "" for JSON

	flow     *flow  // of a stream, once it has been accepted
	trailer  header // of a stream
	answered bool   // the hooks that come before the first message have run
	outErr   error  // of the first message that could not be sent

	claimed    atomic.Bool // somebody answers
	mine       bool        // and it is the exchange itself
	finished   bool        // the handler has returned
	err        error       // the outcome
	shown      *status.Error
	prev, next *exchange // in the ledger
}

// begin makes the context of the call, and runs the hooks that come first.
func (x *exchange) begin() (err error) {
	request := canonical(x.msg.Header)
	if timeout := request[transport.TimeoutHeader]; len(timeout) > 0 {
		d, badTimeout := transport.ParseTimeout(timeout[0])
		if badTimeout != nil {
			err = status.Invalid(status.Violation{Field: transport.TimeoutHeader, Description: badTimeout.Error()})
		} else {
			x.deadline = x.began.Add(d)
		}
	}
	var trailer transport.Header = &x.response
	if x.server.kind != endpoint.Unary {
		trailer = &x.trailer
	}
	x.ctx, x.info = transport.NewServerContext(&x.callContext, transport.Info{
		Transport: Name, Operation: x.server.operation, Request: request, Response: &x.response, Trailer: trailer,
		RequestSize: int64(len(x.msg.Data)),
	})
	x.mount.ledger.add(x)
	if refusal := x.mount.service.refusal(x.server.kind); refusal != nil {
		x.callContext.end(refusal)
		x.response.Set(transport.NotBegunHeader, "true")
		err = refusal
	}
	for _, hook := range x.server.before {
		ctx := hook(x.ctx)
		if ctx == nil {
			panic("a ServerBefore hook returned a nil context")
		}
		x.ctx = ctx
	}
	return err
}

// chooseCodec sets the codec by the header of the request.
func (x *exchange) chooseCodec() (err error) {
	x.codec, x.contentType, err = x.server.read(x.info.Request.Get(contentType))
	return unsupportedType(err)
}

// run serves the message, to the last hook.
func (x *exchange) run() {
	defer x.close()
	defer x.end()
	err := x.server.handle(x)
	x.finished = true
	if err != nil {
		x.fail(err)
	}
}

// end contains a panic, and runs the finalizers.
func (x *exchange) end() {
	defer x.finalize() // also when what reports a panic panics itself
	if value := recover(); value != nil {
		x.fail(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
	} else if !x.finished {
		x.fail(errUnfinished)
	}
}

func (x *exchange) finalize() {
	if x.info == nil || len(x.server.finalizers) == 0 {
		return
	}
	outcome := Outcome{Err: x.err, RequestSize: x.info.RequestSize, ResponseSize: x.info.ResponseSize}
	for _, hook := range x.server.finalizers {
		hook(x.ctx, outcome)
	}
}

// close releases what the exchange holds. A panic that is left is one of the hooks that come last.
func (x *exchange) close() {
	if value := recover(); value != nil {
		log.Printf("%s: a hook panicked: %v\n%s", x.server.operation, value, debug.Stack())
	}
	x.callContext.end(errEnded)
	x.mount.ledger.remove(x)
}

// claim reports whether it is for the exchange to answer, and not for a Shutdown that could not wait.
func (x *exchange) claim() bool {
	x.mine = x.mine || x.claimed.CompareAndSwap(false, true)
	return x.mine
}

// respond answers with the response. An error is to be answered instead.
func (x *exchange) respond(data []byte) error {
	x.response.sent = true
	x.info.ResponseSize = int64(len(data))
	if !x.claim() {
		x.err = errShutdown
		return nil
	}
	if x.msg.Reply == "" {
		return nil
	}
	if x.contentType != "" {
		x.response.sent = false
		x.response.Set(contentType, x.contentType)
	}
	nc := x.mount.nc()
	if len(x.response.fields) == 0 {
		return x.published(nc.Publish(x.msg.Reply, data), data)
	}
	if err := checkHeader(x.response.fields); err != nil {
		x.response.fields = nil
		return err
	}
	return x.published(nc.PublishMsg(&nats.Msg{Subject: x.msg.Reply, Header: nats.Header(x.response.fields), Data: data}), data)
}

// published returns the error to answer with when the response could not be published.
func (x *exchange) published(err error, data []byte) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		n := carried(nats.Header(x.response.fields), data)
		x.response.fields = nil
		return tooLarge("the response of "+x.server.operation+", with its header,", n, x.mount.nc().MaxPayload()).WithCause(err)
	}
	x.err = err // nobody can be told
	x.mount.service.report(x.server, err)
	return nil
}

// fail answers with err.
func (x *exchange) fail(err error) {
	x.shown = status.From(err)
	x.err = x.shown
	defer x.answer() // also when a hook panics
	x.observe(err)
}

// observe tells those on this side of an error.
func (x *exchange) observe(err error) {
	if x.info != nil {
		for _, hook := range x.server.onError {
			hook(x.ctx, x.shown)
		}
	}
	if len(x.server.onError) > 0 || x.shown.ID == "" || status.As(err) != nil {
		return
	}
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](err); ok {
		stack = p.Stack
	}
	log.Printf("%s: %v\n%s", x.server.operation, x.shown, stack)
}

// answer answers with the error that fail was called with.
func (x *exchange) answer() {
	if x.flow != nil {
		if err := x.sendEnd(x.shown); err != nil {
			x.err = errors.Join(x.shown, err)
		}
		return
	}
	if !x.claim() || x.msg.Reply == "" {
		return
	}
	fields := x.response.fields
	if checkHeader(fields) != nil {
		fields = nil
	}
	x.response.sent = true
	n, err := x.mount.replyError(x.msg.Reply, fields, x.shown)
	if x.info != nil {
		x.info.ResponseSize = int64(n)
	}
	if err != nil {
		x.err = errors.Join(x.shown, err)
	}
}
