package grpctransport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// link is what a client and a stream client have in common: where their calls go, and what surrounds a call.
type link[In, Out any] struct {
	*clientConfig

	operation, path string
	conn            grpc.ClientConnInterface
	blind           bool // conn may not heed grpc.Peer
	out             *outlet[In]
	in              *inlet[Out]
}

func newLink[In, Out any](spec endpoint.Spec, conn grpc.ClientConnInterface, opts []ClientOption) (*link[In, Out], error) {
	switch {
	case conn == nil:
		return nil, errors.New("the connection is nil")
	case spec.Service == "" || spec.Method == "":
		return nil, errors.New(`gRPC needs the name of a service, such as "shop.v1.Orders", and that of a method`)
	}
	config, err := newClientConfig(opts)
	if err != nil {
		return nil, err
	}
	_, own := conn.(*grpc.ClientConn)
	l := &link[In, Out]{clientConfig: config, operation: spec.Operation(), path: "/" + spec.Operation(), conn: conn, blind: !own}
	if l.out, err = outletOf[In]("ClientEncoder", config.encode); err != nil {
		return nil, fmt.Errorf("what is sent: %w", err)
	}
	if l.in, err = inletOf[Out]("ClientDecoder", config.decode); err != nil {
		return nil, fmt.Errorf("what is received: %w", err)
	}
	return l, nil
}

// sent is one call as the client sees it, in one allocation.
type sent struct {
	header            outgoing  // its context is the caller's, with what the hooks made of it
	peer              peer.Peer // without an address nothing was sent
	response, trailer metadata.MD
	options           [3]grpc.CallOption // where there are so few
	answered          bool               // the ClientAfter hooks have run
	observed          bool
	blind             bool // peer tells nothing: the connection is not grpc-go's own

	request, reply            proto.Message // of a unary call
	requestSize, responseSize int64         // of a stream
}

// begin runs the hooks that come before the request, and returns the context and the options for grpc-go.
func (l *link[In, Out]) begin(x *sent) (call context.Context, options []grpc.CallOption, err error) {
	call, err = x.header.prepare(l.before)
	x.observed, x.blind = transport.Observed(x.header.ctx), l.blind
	return call, append(append(x.options[:0], l.calls...), grpc.Peer(&x.peer)), err
}

// left reports whether the call may have left: only then grpc-go had a connection to put it on.
func (x *sent) left() bool { return x.peer.Addr != nil || x.blind }

// answer runs the hooks that see the header of the response.
func (l *link[In, Out]) answer(x *sent) {
	if x.answered {
		return
	}
	x.answered = true
	for _, hook := range l.after {
		x.header.ctx = hook(x.header.ctx, received(x.response))
	}
}

// reported says whether somebody is told of the call.
func (l *link[In, Out]) reported(x *sent) bool { return x.observed || len(l.finalizers) > 0 }

// unwind is deferred around a call: it tells the finalizers of one that panics or ends its goroutine, which goes on to the caller.
func (l *link[In, Out]) unwind(x *sent, returned *bool) {
	if *returned {
		return
	}
	if value := recover(); value != nil {
		l.end(x, &endpoint.PanicError{Value: value, Stack: debug.Stack()})
		panic(value)
	}
	l.end(x, errUnreturned)
}

// errUnreturned is the outcome of a call during which the caller's goroutine ended.
var errUnreturned = status.New(status.Internal, "the call did not return")

// end tells the finalizers, and those who observe the call, what became of it.
func (l *link[In, Out]) end(x *sent, err error) {
	if !l.reported(x) {
		return
	}
	if x.request != nil {
		x.requestSize = int64(proto.Size(x.request))
	}
	if x.reply != nil && err == nil {
		x.responseSize = int64(proto.Size(x.reply))
	}
	for _, hook := range l.finalizers {
		hook(x.header.ctx, Outcome{Err: err, RequestSize: x.requestSize, ResponseSize: x.responseSize})
	}
	if x.observed {
		transport.Report(x.header.ctx, transport.Info{
			Transport: Name, Operation: l.operation, Peer: address(x.peer.Addr), TLS: tlsOf(&x.peer),
			Request: &x.header, Response: received(x.response), Trailer: received(x.trailer),
			RequestSize: x.requestSize, ResponseSize: x.responseSize,
		})
	}
}
