package natstransport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// NewClient returns the endpoint that calls an operation over conn.
//
// Its errors are *status.Error: what the server sent; Canceled or DeadlineExceeded when ctx has ended, of which the first is told
// to the server; ResourceExhausted when a message is larger than NATS, or the client, takes it; and Unavailable when there is
// nobody who serves the operation, when there is no connection to NATS, and when it was lost before the answer came. A request of
// which the last is said may have been served. Transport.ErrNotSent is in the cause of an error when it surely was not.
//
// When a call waits for longer than a quarter of a second it is looked whether there is still a server. When there is none any more at
// the subject, as when the process of the only one, or of an instance that is called by itself, has died, the call is Unavailable, about
// half a second after that at the most. It may have been served.
//
// A call without a deadline may take as long as it takes. Every 5 s the server is asked whether it still serves it; when it has
// answered that and does not three times, it counts as dead, and the call is Unavailable. One of several servers that dies before it could
// answer once, within 10 s, is not missed, nor is one that is not Ashlar's: give calls deadlines, as with endpoint.Timeout.
//
// It fails when spec.Kind is set and is not Unary, when no subject can be made of spec and none is given, and when an option is wrong.
func NewClient[Req, Resp any](spec endpoint.Spec, conn *Conn, opts ...ClientOption) (endpoint.Endpoint[Req, Resp], error) {
	c, err := newClient(spec, conn, false, opts)
	if err != nil {
		return nil, fmt.Errorf("natstransport: client of %s: %w", spec.Operation(), err)
	}
	return (&unaryClient[Req, Resp]{c}).call, nil
}

// client is what clients of unary operations and of streams have in common.
type client struct {
	*clientConfig

	operation   string
	kind        endpoint.Kind
	streaming   bool
	conn        *Conn
	codec       codec.Codec // of requests
	contentType string      // of requests; "" for JSON
	presence    *presence
}

func newClient(spec endpoint.Spec, conn *Conn, stream bool, opts []ClientOption) (*client, error) {
	switch {
	case conn == nil:
		return nil, errors.New("the Conn is nil")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	case stream && spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewClient")
	case !stream && spec.Kind != 0 && spec.Kind != endpoint.Unary:
		return nil, fmt.Errorf("the operation is %v; use NewStreamClient", spec.Kind)
	}
	config, err := newClientConfig(spec, opts)
	if err != nil {
		return nil, err
	}
	if option := config.stream.set(); option != "" && !stream {
		return nil, fmt.Errorf("%s is for streams", "Client"+option)
	}
	c := &client{
		clientConfig: config, operation: spec.Operation(), kind: spec.Kind, streaming: stream, conn: conn.shared, codec: config.set.Default(),
	}
	c.subject = conn.prefix + c.subject
	c.contentType = typeOf(c.codec)
	c.presence = &presence{subject: CancelSubject(c.subject)}
	return c, nil
}

// sent is what became of a request that a client sent.
type sent struct {
	ctx                       context.Context // with what the hooks have added
	request                   header
	message                   nats.Msg // here, so that a call is one allocation
	response, trailer         transport.HeaderMap
	requestSize, responseSize int64
}

type unaryClient[Req, Resp any] struct{ *client }

// call is the endpoint.
func (c *unaryClient[Req, Resp]) call(ctx context.Context, request Req) (response Resp, err error) {
	x := sent{ctx: ctx}
	defer func() {
		if value := recover(); value != nil {
			c.report(&x, &endpoint.PanicError{Value: value, Stack: debug.Stack()})
			panic(value)
		}
	}()
	response, err = c.do(&x, request)
	c.report(&x, err)
	return response, err
}

func (c *unaryClient[Req, Resp]) do(x *sent, request Req) (response Resp, err error) {
	ctx := x.ctx
	if err := c.ready(ctx); err != nil {
		return response, err
	}
	buf := buffer.Get()
	defer buf.Free()
	if buf.B, err = payload.Append(c.codec, buf.B, request); err != nil {
		return response, c.unwritten(err)
	}
	x.requestSize = int64(len(buf.B))
	if err := c.compose(x, buf.B); err != nil {
		return response, err
	}
	answer, err := c.conn.request(x.ctx, &x.message, c.presence)
	if err != nil {
		return response, c.named(err)
	}
	c.answered(x, canonical(answer.Header))
	x.responseSize = int64(len(answer.Data))
	if err := errorOf(x.response, answer.Data); err != nil {
		return response, err
	}
	if int64(len(answer.Data)) > c.maxResponse {
		return response, tooLarge("the response of "+c.operation, len(answer.Data), c.maxResponse)
	}
	by, _, err := c.read(x.response.Get(contentType))
	if err == nil {
		response, err = payload.Decode[Resp](by, answer.Data)
	}
	if err != nil {
		return response, status.New(status.Internal, "the response of "+c.operation+" could not be decoded").WithCause(err)
	}
	return response, nil
}

// named returns err, which says what nobody serves if that is what is wrong.
func (c *client) named(err error) error {
	e := status.As(err)
	if e == nil || e.Reason != errNoResponders.Reason {
		return err
	}
	named := *e
	named.Message = "nobody serves " + c.operation + ", which is looked for at " + c.subject
	return &named
}

// ready fails when the call need not begin.
func (c *client) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return notSent(status.From(err))
	}
	if c.wait && !c.conn.link.nc.IsConnected() {
		return c.conn.await(ctx)
	}
	return nil
}

// unwritten is what the caller gets for a request that cannot be sent.
func (c *client) unwritten(err error) error {
	return notSent(status.New(status.Internal, "the request to "+c.operation+" could not be encoded").WithCause(err))
}

// compose makes the message that is the request, after the hooks that come before it.
func (c *client) compose(x *sent, data []byte) error {
	if c.contentType != "" {
		x.request.Set(contentType, c.contentType)
	}
	for _, hook := range c.before {
		x.ctx = hook(x.ctx, &x.request)
	}
	transport.SetOutgoing(x.ctx, &x.request)
	c.setProtocol(&x.request)
	if deadline, ok := x.ctx.Deadline(); ok {
		const room = 9 // eight digits and a unit
		x.request.Set(transport.TimeoutHeader, string(transport.AppendTimeout(make([]byte, 0, room), time.Until(deadline))))
	}
	x.message.Subject, x.message.Data, x.message.Header = c.subject, data, nats.Header(x.request.fields)
	if err := checkHeader(x.request.fields); err != nil {
		return c.unwritten(err)
	}
	return nil
}

// setProtocol sets the fields that open a stream. What was handed on from the header of another stream is not of this one.
func (c *client) setProtocol(h *header) {
	if !c.streaming {
		delete(h.fields, streamField)
		return
	}
	h.Set(streamField, streamVersion)
	h.Set(creditField, formatCredit(c.stream.window))
	h.Set(heartbeatField, string(transport.AppendTimeout(nil, c.stream.heartbeat)))
}

// answered runs the hooks that see the response's header.
func (c *client) answered(x *sent, response transport.HeaderMap) {
	x.response = response
	if len(c.after) == 0 {
		return
	}
	h := &header{fields: response}
	for _, hook := range c.after {
		x.ctx = hook(x.ctx, h)
	}
}

// report tells the finalizers, and those who observe the call, what became of it.
func (c *client) report(x *sent, err error) {
	for _, hook := range c.finalizers {
		hook(x.ctx, Outcome{Err: err, RequestSize: x.requestSize, ResponseSize: x.responseSize})
	}
	if !transport.Observed(x.ctx) {
		return
	}
	trailer := x.trailer
	if trailer == nil {
		trailer = x.response
	}
	transport.Report(x.ctx, transport.Info{
		Transport: Name, Operation: c.operation, Request: x.request.fields, Response: x.response, Trailer: trailer,
		RequestSize: x.requestSize, ResponseSize: x.responseSize,
	})
}
