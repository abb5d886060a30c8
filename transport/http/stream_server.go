package httptransport

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// NewStreamServer returns the http.Handler that serves s, safe for concurrent use. What it speaks follows from spec.Kind, which
// counts as Bidirectional when it is unset, and from the request:
//
//   - a request for a WebSocket gets one, whatever the kind;
//   - of a ServerStream the request is bound as that of a unary endpoint, and the response is NDJSON or server-sent events, as
//     Accept says. Its header goes out with the first message, or after a second; until then an error has an HTTP status of its own;
//   - of a ClientStream the body of the request is NDJSON, and the response that of a unary endpoint;
//   - a Bidirectional one has no other form than the WebSocket.
//
// The protocol is written down in docs/transport-http-streams.md.
//
// The context of s ends within a second when the client goes away, and when Shutdown wants it to; out fails then, and in ends with an
// error. What a client of a ClientStream or WebSocket sends is read 64 KiB ahead. When s takes none of it for a minute although there is
// no room for more, the context ends with ResourceExhausted, since nobody can tell whether the client is still there. On a WebSocket the
// one request of a ServerStream has 10 s to come. Out
// blocks while the client reads slowly, for as long as ServerWriteTimeout allows. The first error of out is that of the
// stream, even if s does not return it. The hooks run as those of NewServer, those of ServerAfter before the header goes out, perhaps
// on another goroutine than s.
//
// In a ClientStream and on a Bidirectional one fields of In that are bound to the path, the query and the header are taken from the request
// that opened the stream, for each message.
//
// NewStreamServer panics when spec has no Method, when the operation is unary, when In cannot be bound, when an option is wrong
// or is not for streams of this kind, and when NDJSON is called for and no codec is one for JSON: mistakes in the program
// that no input can cause.
func NewStreamServer[In, Out any](spec endpoint.Spec, s endpoint.Stream[In, Out], opts ...ServerOption) http.Handler {
	server, err := newStreamServer(spec, s, opts)
	if err != nil {
		panic(fmt.Sprintf("httptransport: stream server of %s: %v", spec.Operation(), err))
	}
	return server
}

type streamServer[In, Out any] struct {
	*serverConfig

	operation string
	kind      endpoint.Kind
	stream    endpoint.Stream[In, Out]
	decode    func(context.Context, *http.Request) (In, error) // of a kind with one request
	plan      *plan
	inFrame   bool // of a kind with one request: on a WebSocket it has parts that the first frame brings
	json      codec.Codec
	answers   answers[Out]
	around    endpoint.Handler // the ServerMiddleware with all of the rest inside; nil without any
}

func newStreamServer[In, Out any](
	spec endpoint.Spec, stream endpoint.Stream[In, Out], opts []ServerOption,
) (*streamServer[In, Out], error) {
	if stream == nil {
		return nil, errors.New("the stream is nil")
	}
	if spec.Method == "" {
		return nil, errNoMethod
	}
	if spec.Kind == 0 {
		spec.Kind = endpoint.Bidirectional
	}
	switch {
	case spec.Kind == endpoint.Unary:
		return nil, errors.New("the operation is unary; use NewServer")
	case spec.Kind > endpoint.Bidirectional:
		return nil, fmt.Errorf("the kind %d is unknown", spec.Kind)
	}
	config, err := newServerConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &streamServer[In, Out]{
		serverConfig: config, operation: spec.Operation(), kind: spec.Kind, stream: stream, answers: newAnswers[Out](config.codecs),
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if len(config.middleware) > 0 {
		s.around = config.decorate(spec, func(ctx context.Context, request any) (any, error) {
			r, ok := request.(*http.Request)
			if !ok {
				return nil, &endpoint.TypeError{Operation: s.operation, Role: "request", Want: "*http.Request", Have: fmt.Sprintf("%T", request)}
			}
			run, _ := ctx.Value(runKey{}).(func(context.Context, *http.Request) error)
			return nil, run(ctx, r)
		})
	}
	return s, nil
}

// runKey is that of the function in the context with which the ServerMiddleware goes on.
type runKey struct{}

// prepare sets what follows from the kind.
func (s *streamServer[In, Out]) prepare() (err error) {
	if s.encode != nil {
		return errors.New("ServerEncoder is not for streams")
	}
	t := reflect.TypeFor[In]()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s.plan, err = newPlan(t); err != nil {
		return err
	}
	if s.kind == endpoint.ServerStream || s.kind == endpoint.ClientStream {
		if s.json, err = jsonOf(s.codecs); err != nil {
			return err
		}
	}
	if s.one() {
		s.decode, err = decoder[In](s.serverConfig)
		s.inFrame = s.serverConfig.decode == nil && s.plan.body != bodyNone
		return err
	}
	if s.serverConfig.decode != nil {
		return fmt.Errorf("ServerDecoder makes one request, and the operation is %v", s.kind)
	}
	return nil
}

// one reports whether the stream has one request.
func (s *streamServer[In, Out]) one() bool { return s.kind == endpoint.ServerStream }

// ServeHTTP implements http.Handler.
func (s *streamServer[In, Out]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, done := streamContext(r.Context())
	defer done()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	header := &streamHeader{h: w.Header()}
	info := newInfo(w, r, s.operation)
	trailer := transport.HeaderMap{}
	info.Response, info.Trailer = header, trailer
	if s.kind == endpoint.ClientStream {
		info.Trailer = header // its answer has one piece
	}
	x := &exchange{config: s.serverConfig, w: w, r: r.WithContext(ctx)}
	defer x.release()
	defer x.end()
	err := x.begin(info)
	switch {
	case s.kind == endpoint.ClientStream && !isUpgrade(r):
		s.serveOne(x, err, stop)
	case err != nil:
		x.fail(err)
	case isUpgrade(r):
		s.serveSocket(x, stop)
	case s.kind == endpoint.ServerStream:
		s.serveFeed(x, header, trailer, stop)
	default:
		x.fail(upgradeRequired(r))
	}
}

// bound runs a stream, and ends it by cancel when the context does with which the ServerMiddleware went on: what the endpoint waits for, a
// message or room for one, ends with the stream only.
func (x *exchange) bound(ctx context.Context, cancel context.CancelCauseFunc, run func() error) error {
	if ctx.Done() == x.ctx.Done() {
		return run()
	}
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	err := run()
	if err == nil && ctx.Err() != nil {
		return ended(ctx)
	}
	return err
}

// until returns out as it is until the context ends that the ServerMiddleware passed on, which the stream does a moment later.
func until[Out any](ctx context.Context, x *exchange, out func(Out) error) func(Out) error {
	if ctx.Done() == x.ctx.Done() {
		return out
	}
	return func(message Out) error {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return out(message)
	}
}

// decorated calls run inside of the ServerMiddleware. A panic becomes an error.
func (s *streamServer[In, Out]) decorated(x *exchange, run func(context.Context, *http.Request) error) (err error) {
	defer func() {
		switch value := recover(); value {
		case nil:
		case http.ErrAbortHandler:
			panic(value)
		default:
			err = &endpoint.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	if s.around == nil {
		return run(x.ctx, x.r)
	}
	_, err = s.around(context.WithValue(x.ctx, runKey{}, run), x.r)
	return err
}

// serveFeed serves a server stream in the body of the response.
func (s *streamServer[In, Out]) serveFeed(x *exchange, header *streamHeader, trailer transport.HeaderMap, cancel context.CancelCauseFunc) {
	form, contentType, err := negotiateStream(x.r)
	if err != nil {
		x.fail(err)
		return
	}
	f := &feed{
		x: x, cancel: cancel, control: http.NewResponseController(x.w), form: form, contentType: contentType, codec: s.json,
		header: header, trailer: trailer,
	}
	var stop func()
	defer func() {
		if stop != nil {
			stop()
		}
	}()
	err = s.decorated(x, func(ctx context.Context, r *http.Request) error {
		request, err := s.request(ctx, r, f.control)
		if err != nil {
			return err
		}
		if stop == nil {
			stop = f.open()
		}
		if r.Method == http.MethodHead {
			return nil
		}
		out := newOutlet[Out]()
		return x.bound(ctx, cancel, func() error {
			return s.stream(ctx, endpoint.Seq(request), until(ctx, x, func(message Out) error { return f.send(out.value(message)) }))
		})
	})
	if stop == nil { // nothing was begun
		stop = f.open()
	}
	f.finish(err)
}

// request makes the one request of a stream, and reads to the end of its body, since net/http notices only then that
// a client goes away.
func (s *streamServer[In, Out]) request(ctx context.Context, r *http.Request, control *http.ResponseController) (In, error) {
	request, err := s.decode(ctx, r)
	if err != nil {
		return request, err
	}
	if err := drainBody(r, s.maxRequest); err != nil {
		return request, err
	}
	_ = control.SetReadDeadline(time.Time{})
	return request, nil
}

// serveOne serves a client stream, or refuses it with err.
func (s *streamServer[In, Out]) serveOne(x *exchange, err error, cancel context.CancelCauseFunc) {
	var u *upload
	defer func() {
		if u != nil {
			u.close()
		}
	}()
	var f form
	if err == nil {
		f, err = s.answers.negotiate(x.r)
	}
	one := single[Out]{ctx: x.ctx}
	if err == nil {
		err = s.decorated(x, func(ctx context.Context, r *http.Request) error {
			if u != nil {
				return errTwice
			}
			if err := checkUpload(r); err != nil {
				return err
			}
			u = newUpload(x, r, cancel)
			return x.bound(ctx, cancel, func() error {
				return s.stream(ctx, messages(u, newInlet[In](s.plan), s.json, r), until(ctx, x, one.set))
			})
		})
	}
	if u == nil {
		u = newUpload(x, x.r, cancel)
	}
	u.settle()
	if err == nil {
		err = one.check()
	}
	if err == nil {
		for _, hook := range s.after {
			hook(x.ctx, x.w)
		}
		err = s.answers.write(x, f, one.response)
	}
	if err != nil {
		x.fail(reason(x.ctx, err))
	}
}

var errTwice = errors.New("a ServerMiddleware called the next one twice")

// single takes the one response of a stream.
type single[Out any] struct {
	ctx      context.Context
	response Out
	count    int
}

func (s *single[Out]) set(response Out) error {
	if s.ctx.Err() != nil {
		return ended(s.ctx)
	}
	s.response = response
	s.count++
	return s.check()
}

func (s *single[Out]) check() error {
	if s.count != 1 {
		return fmt.Errorf("the stream sent %d responses, want 1", s.count)
	}
	return nil
}

// messages yields the messages of a client stream.
func messages[In any](u *upload, in inlet[In], c codec.Codec, r *http.Request) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for n := 1; ; n++ {
			var message In
			data, err := u.next()
			if errors.Is(err, errEnd) {
				return
			}
			if err == nil {
				message, _, err = in.read(c, data, r)
			}
			if !yield(message, messageError(n, u.x.config.maxRequest, err)) || err != nil {
				return
			}
		}
	}
}

// errEnd is the clean end of a stream's messages.
var errEnd = errors.New("httptransport: end of the stream")

func upgradeRequired(r *http.Request) error {
	header := http.Header{}
	if r.ProtoMajor == 1 {
		header.Set("Upgrade", "websocket") // RFC 9110, section 15.5.22
		header.Set("Connection", "Upgrade")
	}
	return &Error{Status: http.StatusUpgradeRequired, Header: header,
		Err: status.New(status.FailedPrecondition, "this operation is spoken over a WebSocket").WithReason("UPGRADE_REQUIRED")}
}
