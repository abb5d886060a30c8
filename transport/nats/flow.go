package natstransport

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// flow is one end of a stream: it numbers and counts what goes out, and checks and keeps what comes in until it is asked for.
//
// What NATS delivers never waits for anybody: receive takes the lock for a moment, and publishes nothing.
type flow struct {
	side    endpoint.Side
	nc      publisher
	max     int64                   // bytes of a message that comes in
	window  credit                  // what may come in that has not been read
	every   time.Duration           // how often this end gives a sign of life
	onBreak func(err *status.Error) // called once at most, with the lock held: it must not block

	payload int64       // bytes that NATS carries in a message
	sending sync.Mutex  // held while a frame gets its number and is published, so that they go out in order
	sent    uint64      // frames that went out; by sending
	batch   batch       // messages that are about to go out; by sending
	lively  atomic.Bool // something went out since the last look

	mu       sync.Mutex
	canSend  sync.Cond
	canRead  sync.Cond
	peer     string // the subject of the other end; "" until the server has accepted the stream
	spent    credit // what went out
	allowed  credit // what may go out in all
	received uint64 // frames that came
	came     credit // what came
	granted  credit // what may come in all
	queue    []item // what came and was not read
	deaf     bool   // what comes now is not taken, since something that came before cannot be
	headed   bool   // the header of the response has come, or what it comes before
	ended    bool   // the other end has sent its last message
	finished bool   // this end is done
	err      *status.Error
	broken   atomic.Bool // there is an err

	pulse pulse
}

// publisher is what a flow needs of a *nats.Conn.
type publisher interface {
	Publish(subject string, data []byte) error
	PublishMsg(m *nats.Msg) error
	MaxPayload() int64
}

// credit counts messages and bytes.
type credit struct{ messages, bytes uint64 }

// item is a frame that somebody reads.
type item struct {
	kind   byte
	data   []byte
	header nats.Header
	err    *status.Error // of a wrongItem
}

// wrongItem is the kind of an item that whoever reads cannot take, and the last one. It is no frame.
const wrongItem = 0

func newFlow(side endpoint.Side, limits *streamLimits, maxMessage int64, nc publisher) *flow {
	f := &flow{
		side: side, nc: nc, max: maxMessage, window: limits.window, every: limits.heartbeat, granted: limits.window,
		onBreak: func(*status.Error) {}, payload: nc.MaxPayload(),
	}
	f.canSend.L, f.canRead.L = &f.mu, &f.mu
	return f
}

// receive is called for each message that comes.
func (f *flow) receive(m *nats.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.take(m); err != nil {
		f.fail(err)
	}
}

// take looks at a message. An error is the end of the stream.
func (f *flow) take(m *nats.Msg) *status.Error {
	if f.finished || f.broken.Load() {
		return nil
	}
	if f.side == endpoint.Client {
		if f.ended {
			return nil
		}
		if f.peer == "" && f.refused(m) {
			return nil
		}
	}
	in, err := parseFrame(m.Data)
	if err != nil {
		return f.violation("a frame of the stream is malformed: %v", err)
	}
	if in.kind == cancelFrame && f.side == endpoint.Server { // in whatever order
		return errGone
	}
	f.pulse.heard++
	if f.deaf {
		return nil
	}
	switch want := f.received + 1; {
	case in.number > want:
		return status.Errorf(status.DataLoss, "%d frames of the stream were lost: want number %d, have %d", in.number-want, want, in.number)
	case in.number < want:
		return f.violation("a frame of the stream came again: want number %d, have %d", want, in.number)
	}
	f.received++
	switch in.kind {
	case messageFrame, lastFrame:
		return f.takeMessage(in, in.body)
	case batchFrame:
		return f.takeBatch(in)
	case creditFrame:
		return f.takeCredit(in)
	case heartbeatFrame:
		return nil
	case endFrame:
		if f.ended {
			return f.violation("the stream ended twice")
		}
		f.ended = true
		f.put(item{kind: endFrame, data: in.body, header: m.Header})
		return nil
	}
	if f.side == endpoint.Server {
		return f.violation("a frame of the kind %q is not for a client to send", in.kind)
	}
	return f.takeOfServer(in, m)
}

// takeOfServer takes what only a server sends.
func (f *flow) takeOfServer(in frame, m *nats.Msg) *status.Error {
	switch {
	case in.kind == headerFrame && f.headed:
		return f.violation("a header came after the header or the first message")
	case in.kind == headerFrame:
		f.headed = true
		f.put(item{kind: headerFrame, header: m.Header})
		return nil
	case in.kind != acceptFrame:
		return f.violation("a frame of the kind %q is not for a server to send", in.kind)
	case in.number != 1 || m.Reply == "":
		return f.violation("the stream was not accepted by its first frame, with a reply subject")
	}
	f.peer = m.Reply
	f.allowed = credit{in.messages, in.bytes}
	f.pulse.peerEvery = in.every
	f.canSend.Broadcast()
	return nil
}

// refused reports whether m is the answer to a stream that was not accepted: an error as that of a unary call.
func (f *flow) refused(m *nats.Msg) bool {
	if noResponders(m) {
		f.fail(notSent(errNoResponders))
		f.ended = true
		return true
	}
	if errorOf(canonical(m.Header), nil) == nil {
		return false
	}
	f.ended = true
	f.put(item{kind: endFrame, data: m.Data, header: m.Header})
	return true
}

func (f *flow) takeBatch(in frame) *status.Error {
	for len(in.body) > 0 && !f.deaf {
		message, rest, err := nextMessage(in.body)
		if err != nil {
			return f.violation("a frame of the stream is malformed: %v", err)
		}
		if err := f.takeMessage(in, message); err != nil {
			return err
		}
		in.body = rest
	}
	return nil
}

func (f *flow) takeMessage(in frame, message []byte) *status.Error {
	n := uint64(len(message))
	switch {
	case f.ended:
		return f.violation("a message came after the last one")
	case in.kind == lastFrame && f.side == endpoint.Client:
		return f.violation("a frame of the kind %q is not for a server to send", in.kind)
	case f.side == endpoint.Client && f.peer == "":
		return f.violation("a message came before the stream was accepted")
	case f.came.messages >= f.granted.messages || f.came.bytes >= f.granted.bytes:
		return f.violation("a message came without credit for it")
	case n > uint64(f.max):
		err := tooLarge("a message of the stream", len(message), f.max)
		if f.side == endpoint.Server {
			return err
		}
		f.deaf = true // what came before is read first
		f.put(item{kind: wrongItem, err: err})
		return nil
	}
	f.headed = true
	f.came.messages++
	f.came.bytes += n
	f.put(item{kind: messageFrame, data: message})
	if in.kind == lastFrame {
		f.ended = true
		f.put(item{kind: endFrame})
	}
	return nil
}

func (f *flow) takeCredit(in frame) *status.Error {
	if in.messages < f.allowed.messages || in.bytes < f.allowed.bytes {
		return f.violation("credit was taken back")
	}
	f.allowed = credit{in.messages, in.bytes}
	f.canSend.Broadcast()
	return nil
}

func (f *flow) put(i item) {
	f.queue = append(f.queue, i)
	if len(f.queue) == 1 {
		f.canRead.Signal()
	}
}

// violation is the error of a frame that the protocol does not have. It is the fault of the other end.
func (f *flow) violation(format string, args ...any) *status.Error {
	code := status.InvalidArgument
	if f.side == endpoint.Client {
		code = status.Internal
	}
	return status.Errorf(code, format, args...).WithReason("STREAM_PROTOCOL")
}

// lose says that the connection was lost, or closed.
func (f *flow) lose(closed bool) {
	err := errLost
	if closed {
		err = errClosed
	}
	f.breakOff(err)
}

// breakOff ends the stream with the error, if it has not ended.
func (f *flow) breakOff(err *status.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail(err)
}

// fail notes the error, if it is the first, and wakes all who wait, after the context has ended. What a client has been told by a
// server that has ended the stream stands.
func (f *flow) fail(err *status.Error) {
	over := f.side == endpoint.Client && f.ended && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	if f.err != nil || f.finished || over {
		return
	}
	f.onBreak(err)
	f.err = err
	f.broken.Store(true)
	f.canSend.Broadcast()
	f.canRead.Broadcast()
}

// failure returns why the stream broke off, nil if it did not.
func (f *flow) failure() error {
	if !f.broken.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// finish ends this end. Nothing comes in or goes out any more, except for what the caller sends.
func (f *flow) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finished = true
	f.pulse.stop()
	f.canSend.Broadcast()
	f.canRead.Broadcast()
}

var errFinished = errors.New("natstransport: the stream has ended")
