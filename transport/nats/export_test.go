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

// StandStill does as if this end had got no processor time for so long.
func (f *Flow) StandStill(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.pulse.due = f.pulse.due.Add(-d)
	f.pulse.lastHeard = f.pulse.lastHeard.Add(-d)
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

// SetPendingLimits lets NATS drop what comes to the subscription of the first server when there are so many messages.
func (s *Service) SetPendingLimits(messages int) error {
	return s.mounts[0].sub.SetPendingLimits(messages, -1)
}

// Grace returns how long streams go on.
func (s *Service) Grace() time.Duration { return s.grace }

// Early returns how many cancellations are kept whose calls have not begun, and their bytes.
func (s *Service) Early() (n, bytes int) {
	l := s.mounts[0].ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for reply := range l.early {
		bytes += len(reply)
	}
	return len(l.early), bytes
}

// Force ends all calls, as a Shutdown that cannot wait does, while NATS still delivers.
func (s *Service) Force() (left int) { return s.force() }

// Workers returns how many goroutines the first server has.
func (s *Service) Workers() int {
	w := s.mounts[0].workers
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}

// MaxIdle is how many of them it keeps.
const MaxIdle = maxIdle

// NewConnAsking is NewConn with another interval for questions.
func NewConnAsking(nc *nats.Conn, every time.Duration) (*Conn, error) { return newConn(nc, every) }

// AskEvery is the interval without that.
const AskEvery = askEvery

// SetPendingLimits lets NATS drop what comes to the inbox when there are so many messages.
func (c *Conn) SetPendingLimits(messages int) error { return c.link.sub.SetPendingLimits(messages, -1) }

// Waiting returns how many calls and streams wait for an answer.
func (c *Conn) Waiting() (n int) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for _, r := range c.link.waiting {
		switch r.(type) {
		case *asker, *probe:
		default:
			n++
		}
	}
	return n
}

// ErrorOf returns the error that an answer is.
func ErrorOf(h nats.Header, data []byte) *status.Error { return errorOf(canonical(h), data) }

// ParseCredit reads the header field that opens a stream, and writes it again.
func ParseCredit(text string) (again string, err error) {
	c, err := parseCredit(text)
	return formatCredit(c), err
}
