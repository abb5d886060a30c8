package httptransport

import (
	"bufio"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"runtime/debug"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// exchange is one request and its response, from the first hook to the last.
type exchange struct {
	config  *serverConfig
	ctx     context.Context
	w       http.ResponseWriter
	r       *http.Request
	info    *transport.Info
	outcome Outcome
	cancel  context.CancelFunc // ends ctx; nil without a deadline of the caller's
	abort   bool               // the response is broken, and must not look complete
	drain   *drain             // of the server
	lingers bool               // the response goes out before the handler returns, so that net/http does not know its length
}

// begin makes the exchange of the call that info describes, and runs the hooks that come first. Whoever calls it
// defers release and end before.
func (x *exchange) begin(info transport.Info) (err error) {
	ctx := x.r.Context()
	if timeout := x.r.Header[transport.TimeoutHeader]; len(timeout) > 0 {
		d, badTimeout := transport.ParseTimeout(timeout[0])
		if badTimeout != nil {
			err = status.Invalid(status.Violation{Field: transport.TimeoutHeader, Description: badTimeout.Error()})
		} else {
			ctx, x.cancel = context.WithTimeout(ctx, d)
		}
	}
	x.ctx, x.info = transport.NewServerContext(ctx, info)
	x.drain = entry(ctx)
	if refusal := x.drain.refusal(x.r, x.w.Header()); refusal != nil {
		err = refusal
	}
	for _, hook := range x.config.before {
		x.ctx = hook(x.ctx, x.r)
	}
	return err
}

// release ends the context, once the finalizers have had it.
func (x *exchange) release() {
	if x.cancel != nil {
		x.cancel()
	}
}

// newInfo describes the call that r is.
func newInfo(w http.ResponseWriter, r *http.Request, operation string) transport.Info {
	response := transport.HeaderMap(w.Header())
	return transport.Info{
		Transport: Name,
		Operation: operation,
		Peer:      r.RemoteAddr,
		TLS:       r.TLS,
		Request:   transport.HeaderMap(r.Header),
		Response:  response,
		Trailer:   response,
	}
}

// fail answers with err, as far as nothing has been sent.
func (x *exchange) fail(err error) {
	shown := x.observe(err)
	if x.outcome.Status != 0 { // too late for another answer
		x.abort = true
		return
	}
	httpErr, _ := errors.AsType[*Error](err)
	if httpErr != nil && httpErr.Status == http.StatusRequestEntityTooLarge && x.r.ProtoMajor == 1 {
		x.w.Header().Set("Connection", "close") // else net/http waits for more of the body before it answers
	}
	x.drain.ending(x.w.Header())
	code, size, writeErr := writeError(x.w, shown, httpErr)
	x.outcome.Status = code
	x.info.ResponseSize = int64(size)
	if writeErr != nil {
		x.outcome.Err = errors.Join(shown, writeErr)
	}
}

// observe turns err into what the caller may see, and tells those on this side what it was.
func (x *exchange) observe(err error) *status.Error {
	shown := status.From(err)
	x.outcome.Err = shown
	for _, hook := range x.config.onError {
		hook(x.ctx, shown)
	}
	if len(x.config.onError) == 0 && shown.ID != "" && status.As(err) == nil {
		x.log(shown)
	}
	return shown
}

// log writes what the caller is not shown to where net/http writes its own errors. A request log that has had the error has
// made a status of it.
func (x *exchange) log(err *status.Error) {
	var stack []byte
	if p, ok := errors.AsType[*endpoint.PanicError](err); ok {
		stack = p.Stack
	}
	logf := log.Printf
	if s, ok := x.ctx.Value(http.ServerContextKey).(*http.Server); ok && s.ErrorLog != nil {
		logf = s.ErrorLog.Printf
	}
	logf("%s: %v\n%s", x.info.Operation, err, stack)
}

// end is deferred around the exchange: it contains a panic, and runs the finalizers.
func (x *exchange) end() {
	defer x.finalize() // also when what reports a panic panics itself
	switch value := recover(); value {
	case nil:
	case http.ErrAbortHandler: // net/http compares it so
		x.outcome.Err = http.ErrAbortHandler
		x.abort = true
	default:
		x.fail(&endpoint.PanicError{Value: value, Stack: debug.Stack()})
	}
}

func (x *exchange) finalize() {
	if len(x.config.finalizers) > 0 {
		x.outcome.RequestSize, x.outcome.ResponseSize = x.info.RequestSize, x.info.ResponseSize
		for _, hook := range x.config.finalizers {
			hook(x.ctx, x.r, x.outcome)
		}
	}
	if x.abort {
		panic(http.ErrAbortHandler) // the one way to cut the connection
	}
}

// recorder notes what an encoder of the user's writes.
type recorder struct {
	http.ResponseWriter

	x *exchange
}

func (w *recorder) WriteHeader(code int) {
	if w.x.outcome.Status == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.x.outcome.Status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(data []byte) (int, error) {
	if w.x.outcome.Status == 0 {
		w.x.outcome.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.x.info.ResponseSize += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController: what is not here passes through.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError is for http.ResponseController.
func (w *recorder) FlushError() error {
	if w.x.outcome.Status == 0 {
		w.x.outcome.Status = http.StatusOK
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is for those who look for an http.Flusher.
func (w *recorder) Flush() { _ = w.FlushError() }

// Hijack gives the connection to the encoder, after which there is no other answer.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.x.outcome.Status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}
