package natstransport

import (
	"fmt"
	"math"
	"time"
)

// Default limits of streams.
const (
	// DefaultWindowMessages and DefaultWindowBytes are what may have come on a stream, in each direction, without having been read: with a
	// slow reader, that is what it holds. A sender that has used them up waits.
	DefaultWindowMessages = 1024
	DefaultWindowBytes    = 256 << 10
)

// streamLimits is what the options of either side say of streams.
type streamLimits struct {
	window    credit
	heartbeat time.Duration
}

func defaultStreamLimits() streamLimits {
	return streamLimits{credit{DefaultWindowMessages, DefaultWindowBytes}, DefaultHeartbeat}
}

// set returns the part of the name of an option for streams that was given, "" for none.
func (l *streamLimits) set() string {
	switch d := defaultStreamLimits(); {
	case l.window != d.window:
		return "Window"
	case l.heartbeat != d.heartbeat:
		return "Heartbeat"
	}
	return ""
}

func (l *streamLimits) setWindow(option string, messages, bytes int) error {
	if messages <= 0 || bytes <= 0 || messages > math.MaxInt32 || bytes > math.MaxInt32 {
		return fmt.Errorf("%s of %d messages and %d bytes, want 1 to %d of each", option, messages, bytes, math.MaxInt32)
	}
	l.window = credit{uint64(messages), uint64(bytes)}
	return nil
}

func (l *streamLimits) setHeartbeat(option string, every time.Duration) error {
	if every != heartbeat(every) {
		return fmt.Errorf("%s of %v, want %v to %v", option, every, minHeartbeat, maxHeartbeat)
	}
	l.heartbeat = every
	return nil
}

// ServerWindow sets how much may have come from the client of a stream that was not read: the client waits when there are so many
// messages, or so many bytes. Bytes may be exceeded by one message. The default is DefaultWindowMessages and DefaultWindowBytes. It
// replaces an earlier one. It is for streams only.
func ServerWindow(messages, bytes int) ServerOption {
	return func(c *serverConfig) error { return c.stream.setWindow("ServerWindow", messages, bytes) }
}

// ServerHeartbeat sets how often the server of a stream gives a sign of life when it has nothing to send. The client counts it as
// dead when there is none for three times as long, and ends the stream with Unavailable. What the client does is for ClientHeartbeat. The
// default is DefaultHeartbeat. It replaces an earlier one. It is for streams only.
func ServerHeartbeat(every time.Duration) ServerOption {
	return func(c *serverConfig) error { return c.stream.setHeartbeat("ServerHeartbeat", every) }
}

// ClientWindow is ServerWindow for what comes from the server.
func ClientWindow(messages, bytes int) ClientOption {
	return func(c *clientConfig) error { return c.stream.setWindow("ClientWindow", messages, bytes) }
}

// ClientHeartbeat sets how often the client of a stream gives a sign of life when it has nothing to send. The server counts it as dead
// when there is none for three times as long, and its context ends. A server that does not accept a stream has as long as that. The
// default is DefaultHeartbeat. It replaces an earlier one. It is for streams only.
func ClientHeartbeat(every time.Duration) ClientOption {
	return func(c *clientConfig) error { return c.stream.setHeartbeat("ClientHeartbeat", every) }
}
