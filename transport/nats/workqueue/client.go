package workqueue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// Receipt says where a message is stored.
type Receipt struct {
	Stream   string
	Sequence uint64 // in the stream
	// Duplicate says that the stream had a message of that ClientMessageID already, and has stored this one not: Sequence is
	// that of the other.
	Duplicate bool
}

// NewClient returns the endpoint that stores requests in the stream which takes the subject, and returns when that has them. What
// comes of them is not its business, and neither the deadline nor the end of its context reaches the server's: a job outlives
// whoever asked for it. Without a deadline the default timeout of js counts, 5 s.
//
// Its errors are *status.Error. It is Unavailable without a stream for the subject, while that has no leader, and when the
// connection is closed; ResourceExhausted for a message that is too large, and when the stream is full; FailedPrecondition when
// the stream refuses the message otherwise, as with another name than ClientStream; Canceled and DeadlineExceeded. After the last
// two the message may be stored all the same, and ClientMessageID makes it safe to repeat the call. transport.ErrNotSent is in
// the causes when it surely did not reach the server.
//
// It fails when js is nil, when spec.Kind is set and is not Unary, when nothing can be published to the subject, and when an
// option is wrong.
func NewClient[Req any](
	spec endpoint.Spec, js jetstream.JetStream, subject string, opts ...ClientOption,
) (endpoint.Endpoint[Req, Receipt], error) {
	c, err := newClient[Req](spec, js, subject, opts)
	if err != nil {
		return nil, fmt.Errorf("workqueue: client of %s: %w", spec.Operation(), err)
	}
	return c.call, nil
}

type client[Req any] struct {
	*clientConfig

	operation string
	js        jetstream.JetStream
	to        string
	name      func(Req) string
	direct    func(Req) string
	options   []jetstream.PublishOpt
}

func newClient[Req any](spec endpoint.Spec, js jetstream.JetStream, subject string, opts []ClientOption) (*client[Req], error) {
	if js == nil {
		return nil, errors.New("the JetStream is nil")
	}
	if spec.Kind != 0 && spec.Kind != endpoint.Unary {
		return nil, fmt.Errorf("the operation is %v; a work queue carries one message at a time", spec.Kind)
	}
	config, err := newClientConfig(opts)
	if err != nil {
		return nil, err
	}
	c := &client[Req]{clientConfig: config, operation: spec.Operation(), js: js, to: subject}
	if c.name, err = option.Typed[func(Req) string]("ClientMessageID", config.messageID); err != nil {
		return nil, err
	}
	if c.direct, err = option.Typed[func(Req) string]("ClientSubject", config.subject); err != nil {
		return nil, err
	}
	if config.stream != "" {
		c.options = []jetstream.PublishOpt{jetstream.WithExpectStream(config.stream)}
	}
	if c.direct != nil && subject == "" {
		return c, nil
	}
	return c, checkSubject("the subject", subject)
}

// sent is what became of one call.
type sent struct {
	ctx  context.Context
	call transport.Info
}

// call is the endpoint.
func (c *client[Req]) call(ctx context.Context, request Req) (receipt Receipt, err error) {
	x := sent{ctx: ctx, call: transport.Info{Transport: Name, Operation: c.operation}}
	defer func() {
		value := recover()
		if value != nil {
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
		c.report(&x, err)
		if value != nil {
			panic(value) // on to the caller, whose own code it was
		}
	}()
	return c.do(&x, request)
}

func (c *client[Req]) do(x *sent, request Req) (receipt Receipt, err error) {
	if err := x.ctx.Err(); err != nil {
		return receipt, notSent(status.From(err))
	}
	encoded := buffer.Get()
	defer encoded.Free()
	if encoded.B, err = payload.Append(c.codec, encoded.B, request); err != nil {
		return receipt, notSent(status.New(status.Internal, "the request to "+c.operation+" could not be encoded").WithCause(err))
	}
	subject := c.to
	if c.direct != nil {
		subject = c.direct(request)
		if err := checkSubject("the subject", subject); err != nil {
			return receipt, notSent(status.New(status.Internal, "the request to "+c.operation+" has no subject").WithCause(err))
		}
	}
	header := make(transport.HeaderMap, 3) //nolint:mnd // Content-Type, Nats-Msg-Id, a trace
	header[contentTypeField] = c.codec.ContentTypes()[:1]
	x.call.Request, x.call.RequestSize = header, int64(len(encoded.B))
	for _, hook := range c.before {
		x.ctx = hook(x.ctx, header)
	}
	transport.SetOutgoing(x.ctx, header)
	options := c.options
	if c.name != nil {
		if id := c.name(request); id != "" {
			options = append(slices.Clip(options), jetstream.WithMsgID(id))
		}
	}
	stored, err := c.js.PublishMsg(x.ctx, &nats.Msg{Subject: subject, Header: nats.Header(header), Data: encoded.B}, options...)
	if err != nil {
		return receipt, c.failed(x.ctx, subject, err)
	}
	receipt = Receipt{Stream: stored.Stream, Sequence: stored.Sequence, Duplicate: stored.Duplicate}
	for _, hook := range c.after {
		x.ctx = hook(x.ctx, receipt)
	}
	return receipt, nil
}

// report tells the finalizers, and those who observe the call, what became of it.
func (c *client[Req]) report(x *sent, err error) {
	for _, hook := range c.finalizers {
		hook(x.ctx, Outcome{Err: err, RequestSize: x.call.RequestSize})
	}
	if transport.Observed(x.ctx) {
		x.call.Peer = c.js.Conn().ConnectedAddr()
		transport.Report(x.ctx, x.call)
	}
}
