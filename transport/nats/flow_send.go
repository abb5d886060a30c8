package natstransport

import (
	"encoding/binary"
	"errors"
	"maps"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// message sends the message that data holds after its headroom, as soon as there is credit for it.
func (f *flow) message(data []byte) error {
	n := len(data) - headroom
	if int64(len(data)) > f.payload {
		return tooLarge("a message of the stream, with what stands before it,", len(data), f.payload)
	}
	f.mu.Lock()
	for f.err == nil && !f.finished && (f.spent.messages >= f.allowed.messages || f.spent.bytes >= f.allowed.bytes) {
		f.canSend.Wait()
	}
	if err := f.over(); err != nil {
		f.mu.Unlock()
		return err
	}
	f.spent.messages++
	f.spent.bytes += uint64(n)
	peer := f.peer
	f.mu.Unlock()
	return f.batch.add(f, peer, data)
}

// over returns why nothing goes out any more.
func (f *flow) over() error {
	switch {
	case f.err != nil:
		return f.err
	case f.finished:
		return errFinished
	}
	return nil
}

// accepted waits until there is another end to send to, and returns its subject.
func (f *flow) accepted() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && !f.finished && f.peer == "" {
		f.canSend.Wait()
	}
	return f.peer, f.over()
}

// end sends the end of a client's messages.
func (f *flow) end() error {
	peer, err := f.accepted()
	if err != nil {
		return err
	}
	return f.number(peer, endFrame, make([]byte, headroom), nil)
}

// grant sends credit.
func (f *flow) grant(c credit) error {
	f.mu.Lock()
	peer := f.peer
	f.mu.Unlock()
	const room = headroom + 2*binary.MaxVarintLen64
	data := make([]byte, headroom, room)
	data = binary.AppendUvarint(data, c.messages)
	data = binary.AppendUvarint(data, c.bytes)
	return f.number(peer, creditFrame, data, nil)
}

// accept sends the first frame of a server.
func (f *flow) accept(reply string) error {
	const room = headroom + 3*binary.MaxVarintLen64
	data := make([]byte, headroom, room)
	data = binary.AppendUvarint(data, f.window.messages)
	data = binary.AppendUvarint(data, f.window.bytes)
	data = binary.AppendUvarint(data, uint64(f.every.Milliseconds()))
	return f.number(f.peer, acceptFrame, data, &nats.Msg{Reply: reply})
}

// number sends a frame, which data holds after its headroom. With, which may be nil, has what goes with it.
func (f *flow) number(peer string, kind byte, data []byte, with *nats.Msg) error {
	f.lively.Store(true)
	f.sending.Lock()
	defer f.sending.Unlock()
	if kind == endFrame {
		if err := f.batch.publish(f, peer); err != nil {
			return err
		}
	}
	data = putPrefix(data, headroom, kind, f.sent+1)
	if with == nil {
		return f.transmit(peer, data)
	}
	with.Subject, with.Data = peer, data
	if err := f.nc.PublishMsg(with); err != nil {
		return unsent(err, len(data))
	}
	f.sent++
	return nil
}

// transmit sends a frame that has no header.
func (f *flow) transmit(peer string, data []byte) error {
	if err := f.nc.Publish(peer, data); err != nil {
		return unsent(err, len(data))
	}
	f.sent++
	return nil
}

// close sends the end of a server's stream, with the trailer, and the error, which may be nil.
func (f *flow) close(trailer transport.HeaderMap, shown *status.Error) error {
	m := &nats.Msg{Header: maps.Clone(nats.Header(trailer)), Data: make([]byte, headroom)}
	if shown != nil {
		setError(m, shown)
	}
	err := f.number(f.peer, endFrame, m.Data, m)
	if errors.Is(err, nats.ErrMaxPayload) && shown != nil {
		m = &nats.Msg{Data: make([]byte, headroom)}
		setError(m, shortened(shown))
		err = f.number(f.peer, endFrame, m.Data, m)
	}
	return err
}

// cancel tells the server that the client has given the stream up. It reports false when there is none yet.
func (f *flow) cancel() bool {
	f.mu.Lock()
	peer := f.peer
	f.mu.Unlock()
	if peer == "" {
		return false
	}
	_ = f.nc.Publish(peer, []byte{cancelFrame, 0}) // without it the server misses the heartbeats
	return true
}

// unsent is the error of a frame of n bytes that NATS did not take.
func unsent(err error, n int) error {
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return status.Errorf(status.ResourceExhausted, "a message of the stream has %d bytes, and NATS carries less", n).
			WithReason("BODY_TOO_LARGE").WithCause(err)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
		return errClosed.WithCause(err)
	}
	return errLost.WithCause(err)
}
