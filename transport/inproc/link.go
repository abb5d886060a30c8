package inproc

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// link is what a client and a stream client have in common: how they find the server, and what surrounds a call.
type link struct {
	*clientConfig

	operation string
	stream    bool
	types     string // of the client's messages, for errors
	mux       *Mux
	found     atomic.Pointer[Server]
}

func newLink(spec endpoint.Spec, mux *Mux, stream bool, types string, opts []ClientOption) (*link, error) {
	config, err := newClientConfig(opts)
	switch {
	case err != nil:
	case mux == nil:
		err = errors.New("the Mux is nil")
	case spec.Method == "":
		err = errNoMethod
	case spec.Kind == 0, stream == (spec.Kind != endpoint.Unary):
		return &link{clientConfig: config, operation: spec.Operation(), stream: stream, types: types, mux: mux}, nil
	case stream:
		err = errors.New("the operation is unary; use NewClient")
	default:
		err = fmt.Errorf("the operation is %v; use NewStreamClient", spec.Kind)
	}
	return nil, fmt.Errorf("inproc: client of %s: %w", spec.Operation(), err)
}

// server returns the server of the operation, and remembers it.
func (l *link) server() (*Server, error) {
	if s := l.found.Load(); s != nil {
		return s, nil
	}
	s := l.mux.find(l.operation)
	switch {
	case s == nil:
		return nil, notSent(status.Errorf(status.Unimplemented, "no server for %s", l.operation))
	case l.stream != (s.kind != endpoint.Unary):
		return nil, notSent(status.Errorf(status.Unimplemented, "the server of %s is %v", l.operation, s.kind))
	}
	l.found.Store(s)
	return s, nil
}

// mismatch is the error of a server whose types are not the client's.
func (l *link) mismatch(s *Server) error {
	return notSent(status.Errorf(status.Internal, "%s: the client's messages are %s, the server's %s; ClientCopy would convert them",
		l.operation, l.types, s.types))
}

// notSent adds to err that nothing was sent.
func notSent(err *status.Error) error {
	if err.Cause == nil {
		return err.WithCause(transport.ErrNotSent)
	}
	return err.WithCause(fmt.Errorf("%w: %w", transport.ErrNotSent, err.Cause))
}

// begin makes x a call with ctx. It fails when ctx has ended already.
func (l *link) begin(ctx context.Context, x *exchange) error {
	x.client = ctx
	err := ctx.Err()
	if deadline, ok := ctx.Deadline(); ok && err == nil && time.Until(deadline) <= 0 {
		err = context.DeadlineExceeded
	}
	if err != nil {
		return notSent(status.From(err))
	}
	return nil
}

// send runs the hooks that come before the request, and makes its header. It fails for one that cannot be sent.
func (l *link) send(x *exchange) error {
	for _, hook := range l.before {
		x.client = hook(x.client, &x.request)
	}
	transport.SetOutgoing(x.client, &x.request)
	x.caller.Context = x.client
	if err := x.request.refuse(); err != nil {
		return notSent(status.New(status.Internal, "the request to "+l.operation+" could not be encoded").WithCause(err))
	}
	return nil
}

// answered runs the hooks that see the response's header.
func (l *link) answered(x *exchange) {
	if x.seen {
		return
	}
	x.seen = true
	for _, hook := range l.after {
		x.client = hook(x.client, &x.response)
	}
}

// result is what the caller gets of a call that the server has ended with err.
func (x *exchange) result(err error) error {
	switch gone := x.caller.Err(); {
	case x.clientOut.err != nil:
		return x.clientOut.err
	case x.clientIn.err != nil:
		return x.clientIn.err
	case gone != nil:
		return status.From(gone)
	}
	return err
}

// end tells those on the client's side how the call ended.
func (l *link) end(x *exchange, err error) {
	observed := transport.Observed(x.client)
	if !observed && len(l.finalizers) == 0 {
		return
	}
	call := transport.Info{Transport: Name, Operation: l.operation, Request: &x.request, Response: &x.response, Trailer: &x.trailer}
	if x.info != nil {
		call.RequestSize, call.ResponseSize = x.info.RequestSize, x.info.ResponseSize
	}
	for _, hook := range l.finalizers {
		hook(x.client, Outcome{Err: err, RequestSize: call.RequestSize, ResponseSize: call.ResponseSize})
	}
	if observed {
		transport.Report(x.client, call)
	}
}
