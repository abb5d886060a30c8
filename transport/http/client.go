package httptransport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// NewClient returns the endpoint that calls an operation over conn. The pattern is the one that the server is mounted
// with: a method and a path with wildcards, such as "POST /orders/{id}/items", which are filled from the request's path
// fields. What is sent on a connection that the server was just closing is sent again on another one if spec says that it is
// Idempotent, or its method does.
//
// Its errors are *status.Error: what the server sent, or Unavailable, Canceled or DeadlineExceeded when there was no answer;
// transport.ErrNotSent is in their causes when the request surely did not leave. Info.Peer, of those who observe the call, is the host
// of the Conn, and empty without an answer.
//
// It fails when spec has no Method, when Req does not fit the pattern, and when an option is wrong.
func NewClient[Req, Resp any](spec endpoint.Spec, conn *Conn, pattern string, opts ...ClientOption) (endpoint.Endpoint[Req, Resp], error) {
	c, err := newClient[Req, Resp](spec, conn, pattern, opts)
	if err != nil {
		return nil, fmt.Errorf("httptransport: client of %s: %w", spec.Operation(), err)
	}
	return c.call, nil
}

type client[Req, Resp any] struct {
	*clientConfig

	operation string
	conn      *Conn
	template  http.Request
	accept    []string
	traced    bool // whether net/http sends a request again that was written, although the operation is not idempotent
	replay    bool // whether a request that met a connection about to close may be sent again
	write     func(ctx context.Context, r *http.Request, request Req) error
	read      func(ctx context.Context, r *http.Response, x *sent) (Resp, error)
}

// sent is what became of a request that a client sent.
type sent struct {
	response *http.Response // nil without an answer
	call     transport.Info
	ctx      context.Context // of a stream, once the hooks have added to it
	wrote    atomic.Bool     // the request, at least once; known where it is traced
}

func newClient[Req, Resp any](spec endpoint.Spec, conn *Conn, pattern string, opts []ClientOption) (*client[Req, Resp], error) {
	c, rt, err := newBareClient[Req, Resp](spec, conn, pattern, opts)
	switch {
	case err != nil:
		return nil, err
	case spec.Kind != 0 && spec.Kind != endpoint.Unary:
		return nil, fmt.Errorf("the operation is %v; use NewStreamClient", spec.Kind)
	case c.carrier != byKind:
		return nil, errors.New("ClientSSE and ClientWebSocket are for streams")
	}
	if c.write, err = newEncoder[Req](c.clientConfig, conn.base, rt); err != nil {
		return nil, err
	}
	if bodiless(rt.method) && rt.method != http.MethodDelete && c.encode == nil {
		if err := refuseBody[Req](rt.method); err != nil {
			return nil, err
		}
	}
	c.read, err = newDecoder[Resp](c.clientConfig, spec.Operation())
	return c, err
}

// refuseBody fails for a struct with fields for a body. It was compiled before.
func refuseBody[Req any](method string) error {
	t := reflect.TypeFor[Req]()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p, err := newPlan(t); err != nil || t.Kind() != reflect.Struct || p.body == bodyNone {
		return err
	}
	return fmt.Errorf("%v has fields for a body, which a %s does not have; tag them with path, query or header", t, method)
}

// newBareClient returns a client that neither writes nor reads yet, and its route.
func newBareClient[Req, Resp any](spec endpoint.Spec, conn *Conn, pattern string, opts []ClientOption) (*client[Req, Resp], *route, error) {
	if conn == nil {
		return nil, nil, errors.New("the Conn is nil")
	}
	if spec.Method == "" {
		return nil, nil, errNoMethod
	}
	config, err := newClientConfig(opts)
	if err != nil {
		return nil, nil, err
	}
	rt, err := parseRoute(pattern)
	if err != nil {
		return nil, nil, err
	}
	safe := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, rt.method) // to net/http
	return &client[Req, Resp]{
		clientConfig: config,
		operation:    spec.Operation(),
		conn:         conn,
		replay:       spec.Idempotent && !safe,
		traced:       !spec.Idempotent && safe,
		accept:       []string{strings.Join(config.codecs.Types(), ", ")},
		template: http.Request{
			Method: rt.method, Host: conn.base.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		},
	}, rt, nil
}

var noValues = []string{}

// call is the endpoint.
func (c *client[Req, Resp]) call(ctx context.Context, request Req) (response Resp, err error) {
	var x sent
	defer func() {
		if value := recover(); value != nil {
			c.report(ctx, &x, &endpoint.PanicError{Value: value, Stack: debug.Stack()})
			panic(value)
		}
	}()
	response, ctx, err = c.do(ctx, request, &x)
	c.report(ctx, &x, err)
	return response, err
}

// report tells the finalizers, and those who observe the call, what became of it.
func (c *client[Req, Resp]) report(ctx context.Context, x *sent, err error) {
	if len(c.finalizers) > 0 {
		outcome := Outcome{Err: err, RequestSize: x.call.RequestSize, ResponseSize: x.call.ResponseSize}
		if x.response != nil {
			outcome.Status = x.response.StatusCode
		}
		for _, hook := range c.finalizers {
			hook(ctx, outcome)
		}
	}
	if transport.Observed(ctx) {
		transport.Report(ctx, c.info(x))
	}
}

func (c *client[Req, Resp]) do(ctx context.Context, request Req, x *sent) (response Resp, _ context.Context, err error) {
	if err := ctx.Err(); err != nil {
		return response, ctx, c.failed(ctx, fmt.Errorf("%w: %w", transport.ErrNotSent, err))
	}
	r := c.template.WithContext(ctx)
	r.Header = make(http.Header, 5) //nolint:mnd // Accept, this one, Content-Type, a deadline, a trace
	r.Header["Accept"] = c.accept
	if c.replay {
		r.Header["Idempotency-Key"] = noValues // tells http.Transport that it may, and is not sent
	}
	if err := c.write(ctx, r, request); err != nil {
		return response, ctx, c.unwritten(err)
	}
	x.call.RequestSize = max(r.ContentLength, 0)
	ctx, r = c.outgoing(ctx, r)
	x.call.Request = transport.HeaderMap(r.Header)
	if c.traced {
		r = traced(r, x)
	}
	x.response, err = c.conn.client.Do(r)
	if err != nil && x.wrote.Load() {
		err = &writtenError{err}
	}
	if err != nil {
		return response, ctx, c.unanswered(ctx, r, err)
	}
	defer x.response.Body.Close()
	for _, hook := range c.after {
		ctx = hook(ctx, x.response)
	}
	if code := x.response.StatusCode; code < 200 || code > 299 {
		return response, ctx, c.errorOf(ctx, x)
	}
	response, err = c.read(ctx, x.response, x)
	if err != nil && status.As(err) == nil {
		err = c.failed(ctx, err)
	}
	return response, ctx, err
}

// outgoing runs the hooks, and adds what the context gives to the header.
func (c *clientConfig) outgoing(ctx context.Context, r *http.Request) (context.Context, *http.Request) {
	before := ctx
	r.Header[transport.NotBegunHeader] = understood
	for _, hook := range c.before {
		ctx = hook(ctx, r)
	}
	if ctx != before {
		r = r.WithContext(ctx)
	}
	transport.SetOutgoing(ctx, transport.HeaderMap(r.Header))
	setTimeout(ctx, r.Header)
	return ctx, r
}

// info describes the call for those who observe it.
func (c *client[Req, Resp]) info(x *sent) transport.Info {
	info := x.call
	info.Transport, info.Operation = Name, c.operation
	if x.response != nil { // else perhaps nobody was reached
		info.Peer = c.conn.base.Host
		info.TLS = x.response.TLS
		info.Response = transport.HeaderMap(x.response.Header)
		info.Trailer = transport.HeaderMap(x.response.Trailer)
	}
	return info
}

// setTimeout tells the server how long the caller will wait.
func setTimeout(ctx context.Context, header http.Header) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return
	}
	const room = 9 // eight digits and a unit
	header[transport.TimeoutHeader] = []string{string(transport.AppendTimeout(make([]byte, 0, room), time.Until(deadline)))}
}
