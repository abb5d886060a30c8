package grpctransport

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one call as the server sees it, from the first hook to the last.
type exchange struct {
	config *serverConfig
	ctx    context.Context
	info   *transport.Info
	stream responder

	server            transport.ServerContext // the first ctx
	request           requestHeader
	response, trailer responseHeader
	answered          bool // the ServerAfter hooks have run, and the header is as it will be

	err  error // the Outcome
	sent error // what grpc-go is given of it; of several, as where an interceptor tries again, the last
}

// responder is what sends the header and the trailer: a grpc.ServerStream, or what a unary call has in its place.
type responder interface {
	SetHeader(md metadata.MD) error
	SetTrailer(md metadata.MD)
}

// begin makes the exchange that of the call with ctx.
func (x *exchange) begin(ctx context.Context, operation string) {
	x.request.ctx = ctx
	x.server.Context = ctx
	x.ctx, x.info = &x.server, &x.server.Info
	x.info.Transport, x.info.Operation = Name, operation
	x.info.Request, x.info.Response, x.info.Trailer = &x.request, &x.response, &x.trailer
	if p, ok := peer.FromContext(ctx); ok {
		x.info.Peer, x.info.TLS = x.config.peers.text(p.Addr), tlsOf(p)
	}
}

func tlsOf(p *peer.Peer) *tls.ConnectionState {
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil
	}
	state := info.State // of its own, so that a call without TLS allocates nothing
	return &state
}

// before runs the hooks that come first.
func (x *exchange) before() {
	for _, hook := range x.config.before {
		x.ctx = hook(x.ctx)
	}
}

// answer runs the hooks that come before the response, and sends its header on the way.
func (x *exchange) answer() error {
	if x.answered {
		return nil
	}
	x.answered = true
	for _, hook := range x.config.after {
		hook(x.ctx)
	}
	return x.setHeader()
}

func (x *exchange) setHeader() error {
	if x.response.sent {
		return nil
	}
	md, err := x.response.take()
	if err == nil && len(md) > 0 {
		err = x.stream.SetHeader(md)
	}
	return err
}

// setTrailer sets what follows the response.
func (x *exchange) setTrailer() error {
	if x.trailer.sent {
		return nil
	}
	md, err := x.trailer.take()
	if err == nil && len(md) > 0 {
		x.stream.SetTrailer(md)
	}
	return err
}

// fail makes err the outcome, tells those on this side of it, and returns what grpc-go is to send.
func (x *exchange) fail(err error) error {
	if bad := errors.Join(x.setHeader(), x.setTrailer()); bad != nil {
		err = errors.Join(err, bad)
	}
	shown := status.From(err)
	x.err = shown
	x.observe(shown, err)
	x.sent = wire(shown, x.config.maxError).Err()
	return x.sent
}

// observe tells those on this side of an error.
func (x *exchange) observe(shown *status.Error, err error) {
	defer x.contain()
	for _, hook := range x.config.onError {
		hook(x.ctx, shown)
	}
	if len(x.config.onError) > 0 || shown.ID == "" || status.As(err) != nil {
		return
	}
	x.log(shown)
}

func (x *exchange) log(err error) {
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](err); ok {
		stack = p.Stack
	}
	log.Printf("%s: %v\n%s", x.info.Operation, err, stack)
}

// contain keeps a panic of a hook from ending the process: grpc-go would let it through.
func (x *exchange) contain() {
	if value := recover(); value != nil {
		x.log(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
	}
}

// errUnfinished is the error of a call that has not returned one, since its endpoint ended its goroutine.
var errUnfinished = status.New(status.Internal, "the endpoint did not return")

// end is deferred around the call: it contains a panic, and runs the finalizers. What the call returns is in err, errUnfinished until then.
func (x *exchange) end(err *error) {
	if value := recover(); value != nil {
		*err = x.fail(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
	} else if *err == errUnfinished { //nolint:errorlint // nobody else has it
		*err = x.fail(errUnfinished)
		x.hangUp(*err)
	}
	if *err != nil && !errors.Is(*err, x.sent) { // an interceptor's own
		x.err = foreign(*err)
	} else if *err == nil {
		x.err = nil
	}
	if len(x.config.finalizers) == 0 {
		return
	}
	outcome := Outcome{Err: x.err, RequestSize: x.info.RequestSize, ResponseSize: x.info.ResponseSize}
	for _, hook := range x.config.finalizers {
		x.finalize(hook, outcome)
	}
}

// hangUp answers a call whose handler does not return, or not now: for grpc-go that is the only way to answer. Its stream has another, and
// does not show it; without it the client would wait for its deadline.
func (x *exchange) hangUp(err error) {
	s, ok := grpcstatus.FromError(err)
	if !ok {
		s = grpcstatus.FromContextError(err) // as grpc-go does
	}
	stream, ok := grpc.ServerTransportStreamFromContext(x.server.Context).(interface {
		WriteStatus(s *grpcstatus.Status) error
	})
	if ok {
		_ = stream.WriteStatus(s)
	}
}

func (x *exchange) finalize(hook func(context.Context, Outcome), outcome Outcome) {
	defer x.contain()
	hook(x.ctx, outcome)
}

// foreign returns the error that one of grpc-go is, with that as its cause; any other as it is.
func foreign(err error) error {
	if s, ok := grpcstatus.FromError(err); ok && err != nil {
		return unwire(s.Proto()).WithCause(err)
	}
	return err
}
