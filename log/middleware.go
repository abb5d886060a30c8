package log

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// Middleware is the request log: one line for each call, unary or stream, server or client, when it has ended. It has these
// keys, in this order and only where there is something to say:
//
//	level         by the code, as below
//	msg           "call"
//	side          server, client
//	operation     Service/Method
//	kind          unary, client stream, server stream, bidirectional
//	transport     http, grpc, nats, inproc
//	peer          the address of the other side
//	code          of package status: ok, not_found
//	duration      until the endpoint, or the stream, returned
//	request_size  in bytes, before compression; see transport.Info
//	response_size likewise. A server knows it when the middleware is done, and has it here of streams alone: over gRPC, NATS
//	              and, with ClientCopy, inproc, and not over HTTP. A WebSocket has no request_size here either
//	messages_in, messages_out  with CountMessages
//	slow          true, with Slow
//	trace_id      of the trace that the call belongs to; see TraceID
//	error_id      the ID of the status, which the caller gets too
//	err           the whole local text, with the causes that the caller does not get
//	stack         of a panic, which endpoint.Recover has turned into an error
//	dropped       how many lines of this endpoint were sampled away before this one
//
// and then what Fields adds. The levels are those of how the call ended, and CodeLevel changes them:
//
//	info   ok, canceled, invalid_argument, not_found, already_exists, failed_precondition, out_of_range
//	warn   unauthenticated, permission_denied, resource_exhausted, aborted, unimplemented, and what is slow
//	error  unknown, deadline_exceeded, internal, unavailable, data_loss
//
// An error in which there is no *status.Error is returned as status.From(err), so that the id in the log is the one that the caller
// gets. Put Middleware outside of endpoint.Recover, and outside of whatever may refuse a call. A panic that nobody has
// recovered further in is logged with its stack, as internal, and goes on.
//
// A server writes no line for what ends before Middleware is reached. Around an endpoint, as with endpoint.New, it sees neither
// requests that are too large or cannot be decoded nor those that a ServerMiddleware has refused. Given as the ServerMiddleware of
// a transport it sees these too; but there the messages of a stream over HTTP cannot be counted. In neither place does it see the
// encoding of the response: response_size and a failure of that are for the transport's finalizers. Use one of the places, since each
// writes a line.
//
// A client's line tells what the transport reports of the call; of several calls made inside of it, the one that ended last.
//
// A call that gets no line costs two readings of the clock, a test of the level, and on a client one allocation. Where not even an
// error would be written it costs the test alone. An error in writing a line is dropped, because there is nowhere to log it.
func Middleware(logger Logger, opts ...Option) endpoint.Middleware {
	if logger == nil {
		panic("log: Middleware: the Logger is nil")
	}
	c := config{levels: codeLevels()}
	option.Apply("log: Middleware", &c, opts)
	highest := slices.Max(c.levels[:])
	if c.slow > 0 {
		highest = max(highest, LevelWarn)
	}
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		r := &requestLog{config: c, logger: logger, spec: spec, operation: spec.Operation(), highest: highest}
		r.samples = newSampler(c.every, c.rate)
		if spec.Kind != endpoint.Unary {
			r.slow = 0
		}
		return r.handler(next)
	}
}

// requestLog is the request log of one endpoint.
type requestLog struct {
	config

	logger    Logger
	spec      endpoint.Spec
	operation string
	highest   Level // of all that a call can get
	samples   *sampler
}

func (r *requestLog) handler(next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (response any, err error) {
		if !Enabled(r.logger, r.highest) {
			response, err = next(ctx, request)
			return response, shown(err)
		}
		c := call{start: time.Now()}
		if r.spec.Side == endpoint.Client {
			ctx, c.observer = transport.Observe(ctx)
		}
		if r.messages {
			request = c.count(request)
		}
		defer func() {
			if !c.returned {
				r.end(ctx, &c, errNotReturned)
			}
		}()
		response, err = next(ctx, request)
		c.returned = true
		if err != nil || r.wanted() {
			err = shown(err)
			r.end(ctx, &c, err)
		}
		return response, err
	}
}

// wanted reports whether the line of a success may have to be written.
func (r *requestLog) wanted() bool {
	return r.slow > 0 || Enabled(r.logger, r.levels[status.OK])
}

// shown returns err with a status in it.
func shown(err error) error {
	if err == nil || status.As(err) != nil {
		return err
	}
	return status.From(err)
}

// call is what is known of one call.
type call struct {
	start    time.Time
	returned bool
	observer *transport.Observer // on a client; a server's Info is in the context
	messages *messageCount
}

// messageCount counts on the goroutines that read and send.
type messageCount struct{ in, out atomic.Int64 }

// count returns the request for next.
func (c *call) count(request any) any {
	m, ok := request.(*endpoint.Messages)
	if !ok {
		return request
	}
	n := &messageCount{}
	c.messages = n
	return m.WithHooks(
		func(any) error { n.in.Add(1); return nil },
		func(any) error { n.out.Add(1); return nil },
	)
}
