package natstransport

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// Flow is one end of a stream, for tests of its clock and of what it makes of hostile frames.
type Flow struct {
	*flow

	reader reader
}

// Publisher is what a flow sends with.
type Publisher = publisher

// NewFlow makes an end of a stream whose other end is at the subject peer, and has the same window.
func NewFlow(side endpoint.Side, peer string, messages, bytes int, every, peerEvery time.Duration, nc Publisher, onBreak func(*status.Error)) *Flow {
	const largest = 1000
	f := newFlow(side, &streamLimits{credit{uint64(messages), uint64(bytes)}, every}, largest, nc)
	f.peer, f.allowed, f.onBreak = peer, f.window, onBreak
	f.start(peerEvery)
	return &Flow{f, reader{flow: f}}
}

// Receive is what NATS calls.
func (f *Flow) Receive(data []byte) { f.receive(&nats.Msg{Data: data, Reply: "there"}) }

// Send sends a message.
func (f *Flow) Send(message string) error {
	return f.message(append(make([]byte, headroom), message...))
}

// Next reads what came: a message, or the end.
func (f *Flow) Next() (message string, end bool, err error) {
	i, err := f.reader.next()
	return string(i.data), i.kind == endFrame, err
}

// Finish ends this end.
func (f *Flow) Finish() {
	f.finish()
	f.batch.running.Wait()
}

// Queued returns what was received and not read.
func (f *Flow) Queued() (messages, bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.queue {
		messages++
		bytes += len(i.data)
	}
	return messages, bytes
}
