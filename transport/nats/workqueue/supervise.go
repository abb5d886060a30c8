package workqueue

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// notice passes on what is not as it should be with the requests. Of several at once one is enough, since each has them begin anew.
func (w *Worker) notice(c control) {
	select {
	case w.trouble <- c:
	default:
	}
}

// supervise keeps the requests for messages going.
func (w *Worker) supervise() {
	look := time.NewTicker(w.server.pullSign)
	defer look.Stop()
	again := time.NewTimer(0)
	again.Stop()
	wait := pullAgain
	later := func() {
		w.pull.pause()
		again.Reset(wait)
		wait = min(2*wait, pullMost)
	}
	for {
		select {
		case <-w.draining:
			return
		case c := <-w.trouble:
			if w.survives(c) {
				later()
			}
		case s := <-w.statuses:
			switch s {
			case nats.CONNECTED:
				w.lookAround()
				w.each((*exchange).alive) // before the AckWait is over
				again.Reset(0)
			case nats.RECONNECTING:
				w.pull.pause()
				w.tell(errors.New("the connection is lost"))
			case nats.CLOSED:
				w.fail(nats.ErrConnectionClosed)
			}
		case <-look.C:
			switch {
			case w.conn.IsClosed(): // the connection drops a status that nobody takes at once
				w.fail(nats.ErrConnectionClosed)
			case w.pull.paused():
				again.Reset(0) // at the latest
			case !w.pull.silent():
				wait = pullAgain
			case w.survives(control{kind: unanswered}):
				w.tell(errors.New("JetStream is silent about the requests for messages, as when it has no leader, they are more than the " +
					"MaxWaiting of the consumer, or the permission to ask is missing"))
				later()
			}
		case <-again.C:
			if !w.conn.IsConnected() {
				continue // CONNECTED comes back here
			}
			if err := w.pull.renew(); err != nil {
				w.tell(err)
				later()
			}
		}
	}
}

// survives reports whether it is worth asking again after what happened to the requests. If not it ends the worker.
func (w *Worker) survives(c control) bool {
	switch c.kind {
	case gone:
		w.fail(jetstream.ErrConsumerDeleted)
		return false
	case unanswered:
		if err := w.lookup(); err != nil {
			w.fail(err)
			return false
		}
	case disagreement:
		w.tell(fmt.Errorf("JetStream refuses a request for messages: %s", c.text))
	}
	return true
}

// lookup fails when the consumer surely is no more.
func (w *Worker) lookup() error {
	if !w.conn.IsConnected() {
		return nil
	}
	ctx, cancel := context.WithTimeout(w.base, lookupLimit)
	defer cancel()
	_, err := w.js.Consumer(ctx, w.stream, w.durable)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("%w: %w", jetstream.ErrConsumerDeleted, err)
	case err != nil && w.base.Err() == nil:
		w.tell(fmt.Errorf("JetStream does not answer: %w", err))
	}
	return nil
}

// heartbeat tells JetStream of all messages that are worked on, until the last one is done.
func (w *Worker) heartbeat() {
	const signs = 3 // within the AckWait, so that one may be late
	ticker := time.NewTicker(w.ackWait / signs)
	defer ticker.Stop()
	for {
		select {
		case <-w.base.Done():
			return
		case <-ticker.C:
			w.each((*exchange).alive)
		}
	}
}

// tell reports what concerns the worker as a whole, and contains the panic of a hook.
func (w *Worker) tell(err error) {
	defer func() {
		if value := recover(); value != nil {
			log.Printf("%s: a hook panicked: %v\n%s", w.server.operation, value, debug.Stack())
		}
	}()
	w.report(w.context(), fmt.Errorf("the worker of %s of %s: %w", w.durable, w.stream, err))
}

// fail ends the worker by itself.
func (w *Worker) fail(err error) {
	w.mu.Lock()
	w.cause = err
	w.mu.Unlock()
	w.tell(err)
	w.beginDrain()
	if errors.Is(err, nats.ErrConnectionClosed) { // nothing can be told any more
		w.each(func(x *exchange) { x.cancel(ErrLost) })
	}
}
