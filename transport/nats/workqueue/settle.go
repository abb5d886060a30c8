package workqueue

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
)

// What a worker answers to a delivery: https://docs.nats.io/using-nats/developer/develop_jetstream/consumers, and
// AckNak, AckProgress and AckTerm in the source of the server.
const (
	ack      = "+ACK"
	nak      = "-NAK"
	progress = "+WPI"
	term     = "+TERM"
)

// maxReason is the longest text that JetStream is told when a message is terminated.
const maxReason = 256

// tell answers to a delivery.
func tell(conn *nats.Conn, msg *nats.Msg, answer string) error {
	return conn.Publish(msg.Reply, []byte(answer))
}

// giveBack has the message delivered again after a while.
func giveBack(conn *nats.Conn, msg *nats.Msg, delay time.Duration) error {
	if delay <= 0 {
		return tell(conn, msg, nak)
	}
	return tell(conn, msg, nak+` {"delay": `+strconv.FormatInt(int64(delay), 10)+`}`)
}

// settle tells JetStream what is to become of the message.
func (x *exchange) settle() {
	err := status.From(x.outcome.Err)
	switch {
	case err == nil:
		x.acknowledge() // late is better than never: it spares whoever has the message now the work
	case x.abandoned.Load() || !x.held():
		x.outcome.Verdict = Lost // others have it, and what is said now would concern them
	case x.delivery.Attempt > x.delivery.Limit || x.permanent(err):
		x.end(err)
	case errors.Is(context.Cause(x.Context), ErrStopped):
		x.again(Released, 0)
	case x.delivery.Attempt == x.delivery.Limit:
		x.end(err)
	case err.RetryAfter > 0:
		x.again(Retried, err.RetryAfter)
	default:
		x.again(Retried, x.worker.server.backoff.delay(x.delivery.Attempt))
	}
}

// permanent reports whether another attempt is no use.
func (x *exchange) permanent(err *status.Error) bool {
	permanent := false // of a function or an error that panics nobody knows, and the limit ends it
	x.guard(func() {
		_, undecodable := errors.AsType[*undecodableError](x.outcome.Err)
		permanent = undecodable || !x.worker.server.retry(err)
	})
	return permanent
}

func (x *exchange) acknowledge() {
	x.outcome.Verdict = Acknowledged
	x.silence()
	var err error
	if x.worker.server.doubleAck {
		ctx, cancel := context.WithTimeout(context.Background(), x.worker.ackWait)
		defer cancel()
		_, err = x.worker.conn.RequestWithContext(ctx, x.msg.Reply, []byte(ack))
	} else {
		err = tell(x.worker.conn, x.msg, ack)
	}
	x.told(err)
}

func (x *exchange) again(verdict Verdict, delay time.Duration) {
	if !x.silence() { // given back in the meantime
		x.outcome.Verdict = Lost
		return
	}
	x.outcome.Verdict, x.outcome.Delay = verdict, delay
	x.told(giveBack(x.worker.conn, x.msg, delay))
}

// end ends the message: as a dead letter where there is a subject for those.
func (x *exchange) end(err *status.Error) {
	subject := x.worker.server.deadLetter
	if subject == "" {
		x.outcome.Verdict = Terminated
		x.told(x.terminate(public(err)))
		x.logEnd("terminated")
		return
	}
	if failed := x.bury(subject, err); failed != nil {
		x.fail(fmt.Errorf("storing the dead letter: %w", failed))
		x.again(Retried, x.worker.server.backoff.limit(x.delivery.Attempt))
		return
	}
	x.outcome.Verdict = DeadLettered
	x.told(x.terminate("stored under " + subject + ": " + public(err)))
	x.logEnd("stored under " + subject)
}

func (x *exchange) terminate(reason string) error {
	x.silence()
	return tell(x.worker.conn, x.msg, term+" "+strings.ToValidUTF8(reason[:min(len(reason), maxReason)], ""))
}

// public is the text of what may be shown of the error, in one line.
func public(err *status.Error) string {
	return strings.Join(strings.Fields(err.WithCause(nil).Error()), " ")
}

// told notes that JetStream could not be told.
func (x *exchange) told(err error) {
	if err != nil {
		x.outcome.Verdict, x.outcome.Delay = Lost, 0
		x.fail(fmt.Errorf("telling JetStream what became of the message: %w", err))
	}
}

// fail reports what went wrong after the endpoint, and adds it to the outcome.
func (x *exchange) fail(err error) {
	x.outcome.Err = status.From(errors.Join(x.outcome.Err, err))
	x.guard(func() { x.worker.report(x.ctx, fmt.Errorf("%s: %w", x.delivery.ID(), err)) })
}

// logEnd says where nobody else does that a message will not be worked on again.
func (x *exchange) logEnd(how string) {
	if len(x.worker.server.onError) == 0 && x.outcome.Verdict != Lost {
		log.Printf("%s: %s: %s after delivery %d: %v", x.info.Operation, x.delivery.ID(), how, x.delivery.Attempt, x.outcome.Err)
	}
}

// held reports whether the message is still this worker's, as far as it can know.
func (x *exchange) held() bool {
	return x.worker.now()-time.Duration(x.sign.Load()) < x.worker.ackWait
}

// silence ends the signs, before JetStream is told what becomes of the message: one that came after that would put off the next
// delivery, or keep the message for a worker that has died with it. It reports whether they had not ended before.
func (x *exchange) silence() bool {
	x.signing.Lock()
	defer x.signing.Unlock()
	first := !x.settled
	x.settled = true
	return first
}

// abandon gives the message back although its endpoint works on.
func (x *exchange) abandon() {
	x.abandoned.Store(true)
	if x.silence() && x.held() {
		_ = giveBack(x.worker.conn, x.msg, 0) // should it not arrive, AckWait brings the message back
	}
}

// alive tells JetStream that the message is worked on, unless that has taken too long. It cancels the work on a message that is
// lost.
func (x *exchange) alive() {
	x.signing.Lock()
	defer x.signing.Unlock()
	switch {
	case x.settled:
	case !x.held():
		x.cancel(ErrLost)
	case time.Until(x.deadline) <= 0:
	case x.worker.conn.IsConnected() && tell(x.worker.conn, x.msg, progress) == nil:
		x.sign.Store(int64(x.worker.now()))
	}
}
