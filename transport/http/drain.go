package httptransport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// farewell is how long Shutdown refuses calls before it closes connections: long enough for requests that are under way to come, and for
// clients to have noticed by a few calls that they have to go elsewhere.
const farewell = 500 * time.Millisecond

// Shutdown ends s gracefully, so that no call is lost on the way to it. Unary calls that have begun finish; streams run on for grace, and
// then their contexts are cancelled, so that their clients read Unavailable and go elsewhere. It returns nil when all have ended,
// WebSockets included. When ctx ends first it closes what is left, and returns an error.
//
// For half a second, or until no connection is left, it goes on accepting connections, and refuses the calls of Ashlar's clients that
// begin: with Unavailable, the reason SHUTTING_DOWN and transport.NotBegunHeader, by which they know that they may repeat them elsewhere.
// Others are served, and with each answer the connection closes. Then it stops accepting, and closes the connections that are idle. To do
// that at once, as http.Server.Shutdown does, breaks those on which a request is under way, and nobody could know whether it was begun.
func Shutdown(ctx context.Context, s *http.Server, grace time.Duration) error {
	d := drainOf(s)
	if d != nil {
		timer := time.AfterFunc(grace, func() { d.cancel(errShutdown) })
		defer timer.Stop()
		d.refuse(ctx)
		unused := time.AfterFunc(farewell, func() { d.conns.closeUnused(farewell) })
		defer unused.Stop()
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

	conns    conns
	used     atomic.Bool // there was a call
	refusing atomic.Bool // calls that begin

	mu    sync.Mutex
	open  int           // streams
	empty chan struct{} // closed when open falls to 0; nil while nobody waits
}

func newDrain() *drain {
	d := &drain{Context: context.Background(), conns: conns{none: make(chan struct{}, 1)}}
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

// refuse refuses calls from now on, and waits until clients had time to notice, or have all gone.
func (d *drain) refuse(ctx context.Context) {
	d.refusing.Store(true)
	if !d.used.Load() && !d.conns.known.Load() {
		return // there was nobody
	}
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	for d.conns.open.Load() > 0 || !d.conns.known.Load() {
		select {
		case <-d.conns.none:
			continue
		case <-timer.C:
		case <-ctx.Done():
		}
		break
	}
	d.conns.closeUnused(farewell)
}

// entry is what a call finds of the drain of its server: nil for a server that is not of NewHTTPServer.
func entry(ctx context.Context) *drain {
	d, _ := ctx.Value(drainKey{}).(*drain)
	if d != nil && !d.used.Load() {
		d.used.Store(true)
	}
	return d
}

// ending makes the answer whose header this is the last on its connection, if the server shuts down.
func (d *drain) ending(header http.Header) bool {
	if d == nil || !d.refusing.Load() {
		return false
	}
	header.Set("Connection", "close") // with HTTP/2 net/http makes a GOAWAY of it
	return true
}

// refusal returns the error of a call that begins when the server shuts down, else nil; answer is the header of its answer. Clients that do
// not know that they may repeat it are served.
func (d *drain) refusal(r *http.Request, answer http.Header) error {
	if !d.ending(answer) || r.Header.Get(transport.NotBegunHeader) != understood[0] {
		return nil
	}
	answer.Set(transport.NotBegunHeader, "true")
	return errShutdown
}

// understood is what clients send as the transport.NotBegunHeader.
var understood = []string{"understood"}
