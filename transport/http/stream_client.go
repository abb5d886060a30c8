package httptransport

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// NewStreamClient returns the stream that calls an operation of NewStreamServer over conn. How it is spoken follows from
// spec.Kind, which counts as Bidirectional when it is unset: a ServerStream is read as NDJSON, or as server-sent events with
// ClientSSE; a ClientStream is uploaded as NDJSON; a Bidirectional one is a WebSocket, and with ClientWebSocket all are. A WebSocket is
// opened with GET, so that the pattern must have that method. The first message of a ServerStream is its request, and fills in
// the pattern and the header; the others have one message after another and no path to fill in.
//
// Its errors are *status.Error: what the server sent; Unavailable when the connection broke, or the response ended in the
// middle; Canceled or DeadlineExceeded when ctx did. An error that in yields, or out returns, cancels the call and is returned as it is.
//
// The call returns when the server has ended the stream, also when in has not ended yet. In runs on a goroutine of its own,
// except where there is one request. When the call returns before in has ended, nobody waits for in: the loop over it ends when it yields
// the next time, and until then it must not touch what the caller goes on using. An in that ends with ctx lives no longer than
// that. Out is called on the goroutine of the call.
//
// A heartbeat of the server is passed over, and nothing is made of its absence: what says how long the call may wait is the
// deadline of ctx.
//
// It fails when spec has no Method, when the operation is unary, when In does not fit the pattern, and when an option is wrong
// or is not for streams of this kind.
func NewStreamClient[In, Out any](spec endpoint.Spec, conn *Conn, pattern string, opts ...ClientOption) (endpoint.Stream[In, Out], error) {
	c, err := newStreamClient[In, Out](spec, conn, pattern, opts)
	if err != nil {
		return nil, fmt.Errorf("httptransport: stream client of %s: %w", spec.Operation(), err)
	}
	return c.call, nil
}

type streamClient[In, Out any] struct {
	*client[In, Out]

	http *http.Client
	one  bool        // the kind has one request
	json codec.Codec // for NDJSON and server-sent events
	url  *url.URL    // of a kind with many requests
	open func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error, x *sent) error
}

func newStreamClient[In, Out any](spec endpoint.Spec, conn *Conn, pattern string, opts []ClientOption) (*streamClient[In, Out], error) {
	switch spec.Kind {
	case 0:
		spec.Kind = endpoint.Bidirectional
	case endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewClient")
	}
	bare, rt, err := newBareClient[In, Out](spec, conn, pattern, opts)
	if err != nil {
		return nil, err
	}
	c := &streamClient[In, Out]{client: bare, one: spec.Kind == endpoint.ServerStream}
	if err := c.chooseCarrier(spec.Kind); err != nil {
		return nil, err
	}
	if c.carrier == byWebSocket && rt.method != http.MethodGet {
		return nil, fmt.Errorf("a WebSocket is opened with GET, and the route has the method %s", rt.method)
	}
	c.http = c.httpClient()
	if c.one {
		c.write, err = newEncoder[In](c.clientConfig, conn.base, rt)
		return c, err
	}
	w, err := newWriter[In](conn.base, rt, c.codecs)
	switch {
	case err != nil:
		return nil, err
	case c.encode != nil:
		return nil, fmt.Errorf("ClientEncoder makes one request, and the operation is %v", spec.Kind)
	case len(w.plan.fields) > 0 || w.plan.body == bodyField:
		return nil, fmt.Errorf("the operation is %v, so that all of a message is sent, and fields of it are tagged for elsewhere", spec.Kind)
	}
	c.url = w.static
	return c, nil
}

// httpClient returns the Conn's, as streams need it.
func (c *streamClient[In, Out]) httpClient() *http.Client {
	hc := *c.conn.client
	hc.Timeout = 0 // it would end the stream; that is for the context to say
	if own := c.conn.own; c.carrier == byWebSocket && own != nil && own.Protocols != nil && !own.Protocols.HTTP1() {
		upgrades := own.Clone() // WebSockets begin in HTTP/1.1
		upgrades.Protocols = new(http.Protocols)
		upgrades.Protocols.SetHTTP1(true)
		upgrades.DisableKeepAlives = true // nothing to close: the connections are those of the WebSockets
		hc.Transport = upgrades
	}
	return &hc
}

// chooseCarrier sets how the stream travels.
func (c *streamClient[In, Out]) chooseCarrier(kind endpoint.Kind) (err error) {
	switch {
	case kind > endpoint.Bidirectional:
		return fmt.Errorf("the kind %d is unknown", kind)
	case c.carrier == bySSE && kind != endpoint.ServerStream:
		return fmt.Errorf("ClientSSE is for a server stream, and the operation is %v", kind)
	case kind == endpoint.Bidirectional:
		c.carrier = byWebSocket
	}
	if c.carrier == byWebSocket || kind == endpoint.ServerStream {
		if c.decode != nil {
			return errors.New("ClientDecoder reads one response, and not the messages of a stream")
		}
	} else if c.read, err = newDecoder[Out](c.clientConfig, c.operation); err != nil {
		return err
	}
	switch {
	case c.carrier == byWebSocket:
		c.open = c.overSocket
		c.accept = []string{c.codecs.Default().ContentTypes()[0]}
		return nil
	case kind == endpoint.ServerStream:
		c.open = c.receive
		c.accept = []string{ndjsonType}
		if c.carrier == bySSE {
			c.accept = []string{sseType}
		}
	default:
		c.open = c.upload
	}
	c.json, err = jsonOf(c.codecs)
	return err
}

// call is the stream.
func (c *streamClient[In, Out]) call(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
	x := sent{ctx: ctx}
	defer func() {
		if x.response != nil && x.response.Body != nil { // a WebSocket has none
			_ = x.response.Body.Close()
		}
	}()
	defer func() {
		if value := recover(); value != nil {
			c.report(x.ctx, &x, &endpoint.PanicError{Value: value, Stack: debug.Stack()})
			panic(value)
		}
	}()
	err := ctx.Err()
	if err != nil {
		err = c.failed(ctx, fmt.Errorf("%w: %w", transport.ErrNotSent, err))
	} else {
		err = c.open(ctx, in, out, &x)
	}
	c.report(x.ctx, &x, err)
	return err
}

// request makes the HTTP request for the one request of a stream.
func (c *streamClient[In, Out]) request(ctx context.Context, in iter.Seq2[In, error]) (*http.Request, error) {
	for request, err := range in {
		if err != nil {
			return nil, err
		}
		r := c.template.WithContext(ctx)
		r.Header = http.Header{"Accept": c.accept}
		if err := c.write(ctx, r, request); err != nil {
			return nil, c.unwritten(err)
		}
		return r, nil
	}
	return nil, status.New(status.InvalidArgument, "the stream ended before its request").WithCause(transport.ErrNotSent)
}

// do sends r, and returns when there is a response of the 2xx range, whose body call closes.
func (c *streamClient[In, Out]) do(ctx context.Context, r *http.Request, x *sent) (err error) {
	r.Header["Accept-Encoding"] = []string{"identity"} // what is compressed on the way comes late
	x.call.RequestSize = max(r.ContentLength, 0)
	x.ctx, r = c.outgoing(ctx, r)
	x.call.Request = transport.HeaderMap(r.Header)
	x.response, err = c.http.Do(r)
	if err != nil {
		return c.unanswered(ctx, r, err)
	}
	for _, hook := range c.after {
		x.ctx = hook(x.ctx, x.response)
	}
	if code := x.response.StatusCode; code < 200 || code > 299 {
		return c.errorOf(x.ctx, x)
	}
	return nil
}

// respond reads the one response.
func (c *streamClient[In, Out]) respond(ctx context.Context, out func(Out) error, x *sent) error {
	response, err := c.read(ctx, x.response, x)
	switch {
	case err == nil:
		return out(response)
	case status.As(err) != nil:
		return err
	}
	return c.broken(ctx, err)
}

// receive calls a server stream.
func (c *streamClient[In, Out]) receive(ctx context.Context, in iter.Seq2[In, error], out func(Out) error, x *sent) error {
	r, err := c.request(ctx, in)
	if err != nil {
		return err
	}
	if err := c.do(ctx, r, x); err != nil {
		return err
	}
	contentType := x.response.Header.Get("Content-Type")
	switch mediaType, _, _ := mime.ParseMediaType(contentType); mediaType {
	case sseType:
		return c.readEvents(ctx, x, out)
	case ndjsonType, jsonlType:
		return c.readLines(ctx, x, out)
	}
	return status.Errorf(status.Internal, "the response of %s has the content type %q, want %s", c.operation, contentType, c.accept[0])
}

// broken is what the caller gets when a stream ended in the middle.
func (c *streamClient[In, Out]) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return status.From(ctx.Err()).WithCause(err)
	case errors.Is(err, errTooLarge):
		return status.Errorf(status.ResourceExhausted, "a message of %s is larger than %d bytes", c.operation, c.maxResponse).
			WithReason(reasonTooLarge)
	}
	return status.Errorf(status.Unavailable, "the stream of %s broke off", c.operation).WithCause(err)
}

// wrong is what the caller gets for a message that cannot be decoded.
func (c *streamClient[In, Out]) wrong(n int, err error) error {
	return status.Errorf(status.Internal, "message %d of %s could not be decoded: %v", n, c.operation, err).WithCause(err)
}

// problem is what the caller gets for an error that the server sent in the place of a message.
func (c *streamClient[In, Out]) problem(data []byte) error {
	var e status.Error
	if err := e.UnmarshalJSON(data); err != nil {
		return status.Errorf(status.Unknown, "%s failed, and its error could not be read", c.operation).WithCause(err)
	}
	return &e
}
