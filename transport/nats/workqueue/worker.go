package workqueue

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/transport"
)

// Worker works on the messages of a consumer, until it is drained or stopped, the consumer is deleted or the connection is
// closed. It is safe for concurrent use.
type Worker struct {
	server  *Server
	js      jetstream.JetStream
	conn    *nats.Conn
	stream  string
	durable string
	ackWait time.Duration
	began   time.Time
	base    context.Context // of all messages
	cancel  context.CancelCauseFunc
	peer    atomic.Pointer[transport.Info] // what is known of the connection

	pull     *puller
	jobs     chan *nats.Msg
	slots    []slot
	statuses chan nats.Status
	trouble  chan control

	draining   chan struct{} // closed to end it
	drain      sync.Once
	forced     chan struct{} // closed to end it at once
	force      sync.Once
	closed     chan struct{} // closed when it has ended
	supervised sync.WaitGroup
	working    sync.WaitGroup

	mu    sync.Mutex
	cause error // why it ended by itself
	err   error // what Drain returns
}

// slot is where one message is worked on.
type slot struct {
	mu sync.Mutex
	x  *exchange // nil while it is idle
}

// Consume begins to work on the messages of the consumer, which was made by js or by another one with the same connection, and
// returns who does. The context limits the preparation alone. It fails when the consumer is not as the server needs it, with all
// that is to be changed, when no stream takes the subject of ServerDeadLetter or ServerResults, and when JetStream cannot be
// asked.
//
// A lost connection is survived: work on messages goes on, JetStream hears of it when the connection is back within AckWait, and
// messages are asked for again. So is a change of leaders in a cluster.
func (s *Server) Consume(ctx context.Context, js jetstream.JetStream, consumer jetstream.Consumer) (*Worker, error) {
	w, err := s.consume(ctx, js, consumer)
	if err != nil {
		return nil, fmt.Errorf("workqueue: worker of %s: %w", s.operation, err)
	}
	return w, nil
}

func (s *Server) consume(ctx context.Context, js jetstream.JetStream, consumer jetstream.Consumer) (*Worker, error) {
	if js == nil || consumer == nil {
		return nil, errors.New("the JetStream or the consumer is nil")
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the consumer: %w", err)
	}
	if err := s.check(ctx, js, info); err != nil {
		return nil, fmt.Errorf("the consumer %s of %s: %w", info.Name, info.Stream, err)
	}
	conn := js.Conn()
	w := &Worker{
		server: s, js: js, conn: conn, stream: info.Stream, durable: info.Name, ackWait: info.Config.AckWait, began: time.Now(),
		jobs: make(chan *nats.Msg, s.concurrency), slots: make([]slot, s.concurrency), trouble: make(chan control, 1),
		draining: make(chan struct{}), forced: make(chan struct{}), closed: make(chan struct{}),
	}
	w.base, w.cancel = context.WithCancelCause(context.Background())
	w.pull = &puller{
		conn: conn, subject: apiPrefix(js) + "CONSUMER.MSG.NEXT." + info.Stream + "." + info.Name, size: s.concurrency, free: s.concurrency,
		expires: s.pullExpires, sign: s.pullSign, jobs: w.jobs, failed: w.notice,
	}
	w.lookAround()
	w.statuses = conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.CLOSED)
	if err := w.pull.renew(); err != nil {
		conn.RemoveStatusListener(w.statuses)
		w.cancel(ErrStopped)
		return nil, err
	}
	for i := range w.slots {
		w.working.Go(func() { w.work(&w.slots[i]) })
	}
	w.supervised.Go(w.supervise)
	w.supervised.Go(w.heartbeat)
	go w.close()
	return w, nil
}

// apiPrefix is where js finds the API of JetStream.
func apiPrefix(js jetstream.JetStream) string {
	options := js.Options()
	switch {
	case options.Domain != "":
		return "$JS." + options.Domain + ".API."
	case options.APIPrefix == "":
		return jetstream.DefaultAPIPrefix
	case options.APIPrefix[len(options.APIPrefix)-1] != '.':
		return options.APIPrefix + "."
	}
	return options.APIPrefix
}

// work works on messages in one slot, one after the other.
func (w *Worker) work(s *slot) {
	returned := false
	defer func() {
		if !returned { // an endpoint ended the goroutine
			w.working.Go(func() { w.work(s) })
		}
	}()
	for {
		select {
		case msg := <-w.jobs:
			w.serve(s, msg)
		case <-w.draining:
			for { // what is left was fetched, and not begun
				select {
				case msg := <-w.jobs:
					_ = giveBack(w.conn, msg, 0)
				default:
					returned = true
					return
				}
			}
		}
	}
}

// serve works on one message.
func (w *Worker) serve(s *slot, msg *nats.Msg) {
	defer w.pull.release()
	if w.isDraining() {
		_ = giveBack(w.conn, msg, 0)
		return
	}
	x, err := w.newExchange(msg)
	if err != nil {
		w.tell(err)
		return
	}
	s.set(x)
	defer s.set(nil)
	select {
	case <-w.forced: // perhaps before the slot showed the message
		x.cancel(ErrStopped)
	default:
	}
	x.serve()
}

func (s *slot) set(x *exchange) {
	s.mu.Lock()
	s.x = x
	s.mu.Unlock()
}

// each calls f with all messages that are worked on.
func (w *Worker) each(f func(x *exchange)) {
	for i := range w.slots {
		s := &w.slots[i]
		s.mu.Lock()
		if s.x != nil {
			f(s.x)
		}
		s.mu.Unlock()
	}
}

// now is the time since the worker began, which no clock that is set changes.
func (w *Worker) now() time.Duration { return time.Since(w.began) }

// about describes what all messages have in common.
func (w *Worker) about() transport.Info { return *w.peer.Load() }

// lookAround finds out who is at the other end of the connection.
func (w *Worker) lookAround() {
	info := &transport.Info{Transport: Name, Operation: w.server.operation, Peer: w.conn.ConnectedAddr()}
	if state, err := w.conn.TLSConnectionState(); err == nil {
		info.TLS = &state
	}
	w.peer.Store(info)
}

// context is that of what concerns the worker as a whole.
func (w *Worker) context() context.Context {
	info := w.about()
	info.Request, info.Response, info.Trailer = received(nil), &fields{}, &fields{}
	ctx, _ := transport.NewServerContext(w.base, info)
	return ctx
}

// report tells the ServerErrorHandler, or the log where there is none.
func (w *Worker) report(ctx context.Context, err error) {
	for _, hook := range w.server.onError {
		hook(ctx, err)
	}
	if len(w.server.onError) == 0 {
		log.Printf("%s: %v", w.server.operation, err)
	}
}
