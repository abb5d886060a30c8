package httptransport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// NewHTTPServer returns a server of handler that stands on the open network: every phase of a connection has a limit, and
// nothing is served that handler does not serve. All fields may be changed before it starts; a BaseContext of your own has to
// return a context made from that of this one, which Shutdown needs to know the streams. It panics for a nil handler, instead
// of falling back to http.DefaultServeMux.
//
//	ReadHeaderTimeout  10 s    a header that trickles in
//	ReadTimeout        60 s    a body that does; streams are exempt
//	WriteTimeout      120 s    a unary call, from its header to the last byte of its response; streams are exempt
//	IdleTimeout       120 s    a connection between two requests
//	MaxHeaderBytes     64 KiB
//	Protocols                  HTTP/1.1, HTTP/2 where TLS negotiates it, and HTTP/2 without TLS with prior knowledge (h2c)
//	HTTP2                      250 streams a connection; one that is silent for 30 s gets a ping, and 15 s to answer;
//	                           one that takes nothing off the network for 30 s is cut
func NewHTTPServer(handler http.Handler) *http.Server {
	if handler == nil {
		panic("httptransport: NewHTTPServer with a nil handler")
	}
	const (
		readHeader   = 10 * time.Second
		readAll      = 60 * time.Second
		writeAll     = 120 * time.Second
		idle         = 120 * time.Second
		headerBytes  = 64 << 10
		http2Streams = 250
		pingAfter    = 30 * time.Second
		pingLimit    = 15 * time.Second
		writeByte    = 30 * time.Second
	)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	base := newDrain()
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeader,
		ReadTimeout:       readAll,
		WriteTimeout:      writeAll,
		IdleTimeout:       idle,
		MaxHeaderBytes:    headerBytes,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: http2Streams, SendPingTimeout: pingAfter, PingTimeout: pingLimit, WriteByteTimeout: writeByte,
		},
		BaseContext:                  func(net.Listener) context.Context { return base },
		DisableGeneralOptionsHandler: true,
	}
}

// Shutdown ends s gracefully. It stops accepting connections at once, lets unary calls finish, lets streams run on for grace
// and then cancels their contexts, so that their clients read Unavailable and go elsewhere. It returns nil when
// all have ended, WebSockets included. When ctx ends first it closes what is left, and returns an error.
func Shutdown(ctx context.Context, s *http.Server, grace time.Duration) error {
	d := drainOf(s)
	if d != nil {
		timer := time.AfterFunc(grace, func() { d.cancel(errShutdown) })
		defer timer.Stop()
	}
	err := s.Shutdown(ctx)
	if err == nil && d != nil {
		err = d.wait(ctx)
	}
	if err == nil {
		return nil
	}
	if d != nil {
		d.cancel(errShutdown)
	}
	return fmt.Errorf("httptransport: shutdown: %w", errors.Join(err, s.Close()))
}

var errShutdown = status.New(status.Unavailable, "the server is shutting down").WithReason("SHUTTING_DOWN")

// drain is the base context of a server of NewHTTPServer: it knows the streams, and how to end them.
type drain struct {
	context.Context // of all connections

	streams context.Context // ends when streams have to
	cancel  context.CancelCauseFunc

	mu    sync.Mutex
	open  int           // streams
	empty chan struct{} // closed when open falls to 0; nil while nobody waits
}

func newDrain() *drain {
	d := &drain{Context: context.Background()}
	d.streams, d.cancel = context.WithCancelCause(d.Context)
	return d
}

type drainKey struct{}

func (d *drain) Value(key any) any {
	if key == (drainKey{}) {
		return d
	}
	return d.Context.Value(key)
}

// drainOf returns nil for a server that is not of NewHTTPServer. Its BaseContext, perhaps the user's own by now, is asked without
// a listener, which that may not expect.
func drainOf(s *http.Server) (d *drain) {
	if s.BaseContext == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			d = nil
		}
	}()
	d, _ = s.BaseContext(nil).Value(drainKey{}).(*drain)
	return d
}

// streamContext returns the context for a stream whose request has ctx: it is cancelled, with errShutdown as the cause, when the
// server wants its streams to end. The stream calls done when it has ended, so that Shutdown can wait for it.
func streamContext(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	d, _ := ctx.Value(drainKey{}).(*drain)
	if d == nil {
		return ctx, func() { cancel(nil) }
	}
	d.mu.Lock()
	d.open++
	d.mu.Unlock()
	stop := context.AfterFunc(d.streams, func() { cancel(context.Cause(d.streams)) })
	return ctx, func() {
		stop()
		cancel(nil)
		d.leave()
	}
}

func (d *drain) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open--; d.open == 0 && d.empty != nil {
		close(d.empty)
		d.empty = nil
	}
}

// wait waits until no stream is open. http.Server.Shutdown does not wait for those that were hijacked, the WebSockets.
func (d *drain) wait(ctx context.Context) error {
	d.mu.Lock()
	if d.open == 0 {
		d.mu.Unlock()
		return nil
	}
	if d.empty == nil {
		d.empty = make(chan struct{})
	}
	empty := d.empty
	d.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
