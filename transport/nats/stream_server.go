package natstransport

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

// NewStreamServer returns the server of s, to be put onto a connection by Serve. A call goes the way of NewServer; the ServerMiddleware is
// around the whole of it, and sees an *endpoint.Messages like all middleware of streams. The protocol is written down in
// docs/transport-nats-streams.md.
//
// The context of s ends when the client gives up, when it does not give a sign of life for three of its heartbeats, when the connection
// to NATS is lost, when a message was, and when Shutdown wants it to; out fails then, and in ends with an error. Out blocks while the
// client has not read what came before, up to its ClientWindow. The first error of out is that of the stream, even if s does not return
// it.
//
// It panics when s is nil, when spec.Kind is Unary, and where NewServer does.
func NewStreamServer[In, Out any](spec endpoint.Spec, s endpoint.Stream[In, Out], opts ...ServerOption) *Server {
	server, err := newStreamServer(spec, s, opts)
	if err != nil {
		panic(fmt.Sprintf("natstransport: stream server of %s: %v", spec.Operation(), err))
	}
	return server
}

func newStreamServer[In, Out any](spec endpoint.Spec, stream endpoint.Stream[In, Out], opts []ServerOption) (*Server, error) {
	switch {
	case stream == nil:
		return nil, errors.New("the stream is nil")
	case spec.Kind == 0:
		spec.Kind = endpoint.Bidirectional
	case spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewServer")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	}
	config, err := newServerConfig(spec, opts)
	if err != nil {
		return nil, err
	}
	if len(config.middleware) > 0 {
		stream = bound(stream)
	}
	s := &streamServer[In, Out]{stream: endpoint.NewStream(spec.Server(), stream, config.middleware...)}
	return &Server{
		serverConfig: config, operation: spec.Operation(), service: spec.Service, method: spec.Method, kind: spec.Kind, handle: s.handle,
	}, nil
}

type streamServer[In, Out any] struct {
	stream endpoint.Stream[In, Out]
}

// bound ends the call when the context does with which the ServerMiddleware went on: what the endpoint waits for, a message or room for
// one, ends with the call only.
func bound[In, Out any](stream endpoint.Stream[In, Out]) endpoint.Stream[In, Out] {
	return func(ctx context.Context, in iter.Seq2[In, error], out func(Out) error) error {
		if call, _ := ctx.Value(callKey{}).(*callContext); call != nil && ctx.Done() != call.Done() {
			defer context.AfterFunc(ctx, func() { call.end(endOf(ctx)) })()
			send := out
			out = func(message Out) error { // the call may end a moment later
				if ctx.Err() != nil {
					return endOf(ctx)
				}
				return send(message)
			}
		}
		err := stream(ctx, in, out)
		if err == nil && ctx.Err() != nil {
			return endOf(ctx)
		}
		return err
	}
}

// handle serves one stream, up to its end.
func (s *streamServer[In, Out]) handle(x *exchange) error {
	if err := x.begin(); err != nil {
		return err
	}
	x.info.RequestSize = 0 // which counts messages
	f, every, err := x.newFlow()
	if err != nil {
		return err
	}
	if err := x.chooseCodec(); err != nil {
		return err
	}
	stop, err := x.open(f, every)
	if err != nil {
		return err
	}
	defer stop()
	err = s.stream(x.ctx, s.in(x), s.out(x))
	return x.outcome(err)
}

// in yields what the client sends.
func (s *streamServer[In, Out]) in(x *exchange) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		r := reader{flow: x.flow}
		for n := 1; ; n++ {
			var (
				message In
				i       item
			)
			err := x.over()
			if err == nil {
				i, err = r.next()
			}
			switch {
			case err != nil:
				err = ended(x.ctx, err)
			case i.kind == endFrame:
				return
			default:
				x.info.RequestSize += int64(len(i.data))
				message, err = payload.DecodeRequest[In](x.codec, i.data)
				err = messageNumber(n, err)
			}
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}

// messageNumber says which message of a stream is wrong.
func messageNumber(n int, err error) error {
	e := status.As(err)
	if e == nil || e.Code != status.InvalidArgument || len(e.Violations) == 0 {
		return err
	}
	c := *e
	c.Message = "message " + strconv.Itoa(n) + ": " + e.Message
	return c.WithCause(err)
}

// out sends what the stream sends.
func (s *streamServer[In, Out]) out(x *exchange) func(Out) error {
	buf := make([]byte, headroom)
	return func(message Out) error {
		if x.outErr != nil {
			return x.outErr
		}
		x.outErr = func() (err error) {
			if err := x.over(); err != nil {
				return err
			}
			if err := x.sendHeader(); err != nil {
				return err
			}
			if buf, err = payload.Append(x.codec, buf[:headroom], message); err != nil {
				return fmt.Errorf("encoding a message: %w", err)
			}
			if err := x.flow.message(buf); err != nil {
				return ended(x.ctx, err)
			}
			x.info.ResponseSize += int64(len(buf) - headroom)
			return nil
		}()
		if cap(buf) > maxKept {
			buf = make([]byte, headroom)
		}
		return x.outErr
	}
}

// over returns why the stream is over, nil if it is not. What the context says may be a moment ahead of what the flow knows.
func (x *exchange) over() error {
	if err := x.Err(); err != nil {
		return ended(&x.callContext, err)
	}
	return x.flow.failure()
}

// maxKept is the largest buffer that a stream keeps for its next message.
const maxKept = 64 << 10

// ended returns why the context of a stream ended, and err if it has not.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if e := status.As(context.Cause(ctx)); e != nil {
		return e
	}
	return status.From(ctx.Err())
}

// outcome returns what a stream that returned err is to end with.
func (x *exchange) outcome(err error) error {
	if x.outErr != nil && (err == nil || status.CodeOf(err) == status.Canceled) {
		err = x.outErr // also where the stream did not heed it
	}
	if x.ctx.Err() != nil && status.CodeOf(err) == status.Canceled {
		err = ended(x.ctx, err)
	}
	if err != nil {
		return err
	}
	if err := x.sendHeader(); err != nil {
		return err
	}
	return x.sendEnd(nil)
}

// newFlow makes the server's end of the stream that the message opens, and returns how often its client gives a sign of life.
func (x *exchange) newFlow() (*flow, time.Duration, error) {
	version := x.msg.Header.Get(streamField)
	switch {
	case version == "":
		return nil, 0, status.Errorf(status.Unimplemented, "%s is %v, and no unary operation", x.server.operation, x.server.kind)
	case version != streamVersion:
		return nil, 0, status.Errorf(status.Unimplemented, "version %q of streams is unknown here, which is %s", version, streamVersion)
	case x.msg.Reply == "":
		return nil, 0, status.New(status.InvalidArgument, "a stream was opened without a reply subject")
	}
	every, err := transport.ParseTimeout(x.msg.Header.Get(heartbeatField))
	if err != nil {
		return nil, 0, status.Invalid(status.Violation{Field: heartbeatField, Description: err.Error()})
	}
	allowed, err := parseCredit(x.msg.Header.Get(creditField))
	if err != nil {
		return nil, 0, status.Invalid(status.Violation{Field: creditField, Description: err.Error()})
	}
	f := newFlow(endpoint.Server, &x.server.stream, x.server.maxRequest, x.mount.nc())
	f.peer, f.allowed = x.msg.Reply, allowed
	return f, heartbeat(every), nil
}

// formatCredit returns the text of creditField, which parseCredit reads.
func formatCredit(c credit) string {
	return strconv.FormatUint(c.messages, 10) + " " + strconv.FormatUint(c.bytes, 10)
}

func parseCredit(text string) (c credit, err error) {
	messages, bytes, _ := strings.Cut(text, " ")
	if c.messages, err = strconv.ParseUint(messages, 10, 64); err == nil {
		c.bytes, err = strconv.ParseUint(bytes, 10, 64)
	}
	if err != nil {
		return c, errors.New(`want a number of messages and one of bytes, such as "1024 262144"`)
	}
	return c, nil
}

// open accepts the stream. Stop takes back what it holds.
func (x *exchange) open(f *flow, every time.Duration) (stop func(), _ error) {
	link := x.mount.service.link
	f.onBreak = func(err *status.Error) { x.callContext.end(err) }
	token, ok := link.open(f)
	if !ok {
		return nil, errClosed
	}
	x.mount.ledger.attach(x, f)
	f.start(every)
	unhook := context.AfterFunc(&x.callContext, func() { f.breakOff(endOf(&x.callContext)) })
	stop = func() {
		unhook()
		link.release(token)
		f.finish()
		f.batch.running.Wait()
	}
	if err := f.accept(link.subject(token)); err != nil {
		stop()
		return nil, err
	}
	if len(x.msg.Data) > 0 {
		f.receive(&nats.Msg{Data: x.msg.Data})
	}
	return stop, nil
}

// endOf returns why a context has ended, as a status.
func endOf(ctx context.Context) *status.Error { return status.From(ended(ctx, ctx.Err())) }

// sendHeader runs the hooks that come before the first message, and sends the header of the response if there is one.
func (x *exchange) sendHeader() error {
	if x.answered {
		return nil
	}
	x.answered = true
	for _, hook := range x.server.after {
		hook(x.ctx)
	}
	x.response.sent = true
	if x.contentType != "" {
		x.response.sent = false
		x.response.Set(contentType, x.contentType)
		x.response.sent = true
	}
	if len(x.response.fields) == 0 {
		return nil
	}
	if err := checkHeader(x.response.fields); err != nil {
		return err
	}
	return x.flow.number(x.flow.peer, headerFrame, make([]byte, headroom), &nats.Msg{Header: nats.Header(x.response.fields)})
}

// sendEnd sends the end of the stream, with the error, which may be nil.
func (x *exchange) sendEnd(shown *status.Error) error {
	x.trailer.sent = true
	if !x.claim() {
		return errShutdown
	}
	fields := x.trailer.fields
	if shown != nil && !x.answered && len(x.response.fields) > 0 { // the header has not gone out, and does not any more
		x.response.sent = true
		fields = maps.Clone(x.response.fields)
		maps.Copy(fields, x.trailer.fields)
	}
	if err := checkHeader(fields); err != nil {
		if shown == nil {
			x.trailer.fields = nil
			return err
		}
		fields = nil
	}
	return x.flow.close(fields, shown)
}
