package natstransport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Fields of the header of a message that opens a stream.
const (
	streamField    = "Ashlar-Stream"    // the version of the protocol
	creditField    = "Ashlar-Credit"    //nolint:gosec // no secret: how many messages and bytes the client takes
	heartbeatField = "Ashlar-Heartbeat" // how often the client gives a sign of life, as in transport.TimeoutHeader

	streamVersion = "1"
)

// The kinds of frames. A frame is a kind, a number in the sequence of its sender's frames as a uvarint, and a body.
// Docs/transport-nats-streams.md says who sends which and when.
const (
	acceptFrame    = 'A' // from the server: credit, and how many milliseconds may pass between two frames
	headerFrame    = 'H' // from the server: the message's header is that of the response
	messageFrame   = 'M' // a message
	batchFrame     = 'B' // messages, each after its length as a uvarint
	lastFrame      = 'L' // from the client: a message, and the end of its messages
	endFrame       = 'E' // from the client: the end of its messages; from the server: the end of the stream
	cancelFrame    = 'X' // from the client: it has given the stream up
	creditFrame    = 'C' // how many messages and bytes the other side may have sent in all
	heartbeatFrame = 'P' // a sign of life
)

// headroom is how much of the buffer of a message is kept for what stands before it.
const headroom = 1 + binary.MaxVarintLen64

// frame is what a message of a stream holds.
type frame struct {
	kind            byte
	number          uint64
	messages, bytes uint64        // of credit
	every           time.Duration // of acceptFrame
	body            []byte        // of other kinds
}

var errFrame = errors.New("it is cut off")

// parseFrame reads a frame, whose body is part of data.
func parseFrame(data []byte) (f frame, err error) {
	if len(data) == 0 {
		return f, errors.New("it is empty")
	}
	f.kind, data = data[0], data[1:]
	switch f.kind {
	case acceptFrame, headerFrame, messageFrame, batchFrame, lastFrame, endFrame, cancelFrame, creditFrame, heartbeatFrame:
	default:
		return f, fmt.Errorf("its kind %q is unknown", f.kind)
	}
	if f.number, data, err = uvarint(data); err != nil {
		return f, err
	}
	if f.kind != acceptFrame && f.kind != creditFrame {
		f.body = data
		return f, nil
	}
	if f.messages, data, err = uvarint(data); err != nil {
		return f, err
	}
	if f.bytes, data, err = uvarint(data); err != nil {
		return f, err
	}
	if f.kind == acceptFrame {
		var ms uint64
		if ms, data, err = uvarint(data); err != nil {
			return f, err
		}
		f.every = heartbeat(time.Duration(min(ms, uint64(maxHeartbeat/time.Millisecond))) * time.Millisecond)
	}
	if len(data) > 0 {
		return f, fmt.Errorf("it has %d bytes too many", len(data))
	}
	return f, nil
}

func uvarint(data []byte) (n uint64, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 {
		return 0, nil, errFrame
	}
	return n, data[size:], nil
}

// nextMessage returns the first message of a batchFrame's body, and what comes after it.
func nextMessage(body []byte) (message, rest []byte, err error) {
	n, rest, err := uvarint(body)
	if err == nil && n > uint64(len(rest)) {
		err = errFrame
	}
	if err != nil {
		return nil, nil, err
	}
	return rest[:n:n], rest[n:], nil
}

// putPrefix writes the kind and the number before what data holds from there on, and returns the frame. There are headroom bytes to
// write into.
func putPrefix(data []byte, from int, kind byte, number uint64) []byte {
	var digits [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(digits[:], number)
	start := from - 1 - n
	data[start] = kind
	copy(data[start+1:], digits[:n])
	return data[start:]
}

// heartbeat returns what is made of the interval that the other side tells.
func heartbeat(every time.Duration) time.Duration { return min(max(every, minHeartbeat), maxHeartbeat) }

// stray is called for a message that nobody waits for any more. A server that accepts a stream which has been given up meanwhile is
// told so.
func stray(nc *nats.Conn, m *nats.Msg) {
	if m.Reply == "" {
		return
	}
	if f, err := parseFrame(m.Data); err == nil && f.kind == acceptFrame {
		_ = nc.Publish(m.Reply, []byte{cancelFrame, 0})
	}
}
