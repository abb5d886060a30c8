package workqueue

import (
	"context"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
)

// ReasonDeliveries is the reason of the error of a message that is ended without another attempt, since its last deliveries did not
// come to an end.
const ReasonDeliveries = "TOO_MANY_DELIVERIES"

// Header fields of a dead letter. It has those of the message besides, except what begins with Nats-, which would tell
// JetStream something, and with Ashlar-Dead-, as a message has that was a dead letter before.
const (
	// DeadSubject is what the message was published to.
	DeadSubject = "Ashlar-Dead-Subject"
	// DeadStream, DeadConsumer and DeadSequence say where it was.
	DeadStream   = "Ashlar-Dead-Stream"
	DeadConsumer = "Ashlar-Dead-Consumer"
	DeadSequence = "Ashlar-Dead-Sequence"
	// DeadOperation is the operation of the server.
	DeadOperation = "Ashlar-Dead-Operation"
	// DeadDeliveries is how often it was delivered.
	DeadDeliveries = "Ashlar-Dead-Deliveries"
	// DeadStored and DeadFailed are when the stream took it, and when its last delivery failed, as in RFC 3339.
	DeadStored = "Ashlar-Dead-Stored"
	DeadFailed = "Ashlar-Dead-Failed"
	// DeadCode and DeadReason are those of the error; there is no DeadReason where that has none.
	DeadCode   = "Ashlar-Dead-Code"
	DeadReason = "Ashlar-Dead-Reason"
	// DeadError is the error as problem details (RFC 9457), as far as it may be shown. What makes them longer than 4 KiB,
	// such as details, is left out.
	DeadError = "Ashlar-Dead-Error"
	// DeadMessageID is the Nats-Msg-Id that the message had, if any.
	DeadMessageID = "Ashlar-Dead-Msg-Id"
)

// maxDeadError is the longest DeadError.
const maxDeadError = 4 << 10

// bury stores the message as a dead letter.
func (x *exchange) bury(subject string, err *status.Error) error {
	header := make(nats.Header, len(x.msg.Header)+11) //nolint:mnd // the fields that are set below
	for key, values := range x.msg.Header {
		name := textproto.CanonicalMIMEHeaderKey(key)
		if !strings.HasPrefix(name, natsPrefix) && !strings.HasPrefix(name, deadPrefix) && !slices.Contains(credentials(), name) {
			header[key] = values
		}
	}
	d := &x.delivery
	for key, value := range map[string]string{
		DeadSubject: d.Subject, DeadStream: d.Stream, DeadConsumer: d.Consumer, DeadSequence: strconv.FormatUint(d.Sequence, 10),
		DeadOperation: x.info.Operation, DeadDeliveries: strconv.Itoa(d.Attempt),
		DeadStored: d.Stored.UTC().Format(time.RFC3339Nano), DeadFailed: time.Now().UTC().Format(time.RFC3339Nano),
		DeadCode: err.Code.String(), DeadReason: err.Reason, DeadError: problem(err), DeadMessageID: x.msg.Header.Get(jetstream.MsgIDHeader),
	} {
		if value != "" {
			header[key] = []string{value}
		}
	}
	return x.store("dead."+d.ID(), &nats.Msg{Subject: subject, Header: header, Data: x.msg.Data})
}

// credentials are the header fields that a dead letter is not to keep: it lies there for days, and for others to read.
func credentials() []string {
	return []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key"}
}

// problem returns what may be shown of the error, at most maxDeadError bytes.
func problem(err *status.Error) string {
	text := err.AppendProblem(nil, 0, "")
	if len(text) > maxDeadError {
		short := status.New(err.Code, err.Message).WithReason(err.Reason)
		short.ID = err.ID
		text = short.AppendProblem(nil, 0, "")
	}
	if len(text) > maxDeadError {
		text = status.New(err.Code, "").WithReason(err.Reason).AppendProblem(nil, 0, "")
	}
	return string(text[:min(len(text), maxDeadError)])
}

// publishResult stores what the endpoint returned.
func (x *exchange) publishResult(encode func(dst []byte) ([]byte, error)) error {
	encoded := buffer.Get()
	defer encoded.Free()
	var err error
	if encoded.B, err = encode(encoded.B); err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	header := make(nats.Header, len(x.response.HeaderMap)+2) //nolint:mnd // Content-Type and Nats-Msg-Id
	header[contentTypeField] = x.worker.server.codecs.Default().ContentTypes()[:1]
	maps.Copy(header, x.response.HeaderMap)
	x.info.ResponseSize = int64(len(encoded.B))
	if err := x.store(x.delivery.ID(), &nats.Msg{Subject: x.worker.server.results, Header: header, Data: encoded.B}); err != nil {
		return status.New(status.Unavailable, "the result could not be stored").WithCause(err)
	}
	return nil
}

// store publishes a message that follows from this delivery, and waits until a stream has it. Stored twice under one ID, within the
// stream's window for duplicates, it is there once.
func (x *exchange) store(id string, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), publishLimit)
	defer cancel()
	_, err := x.worker.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id))
	return err
}
