package httptransport

import (
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/transport/internal/origin"
)

// serverStreams is what the options say of streams.
type serverStreams struct {
	heartbeat time.Duration
	write     time.Duration
	ping      time.Duration
	origins   *origin.List
}

var defaultServerStreams = serverStreams{
	heartbeat: 15 * time.Second, // proxies cut what is idle for 30 or 60 s
	write:     30 * time.Second, // as long as a phone may be out of reach
	ping:      30 * time.Second,
}

// ServerHeartbeat sets how long a server stream over HTTP may be silent before it sends a heartbeat: a blank line in NDJSON,
// a comment in server-sent events. It is for proxies; the clients of this package do not miss it. 0 sends none; the default is 15 s. It
// replaces an earlier one. It is for streams only.
func ServerHeartbeat(every time.Duration) ServerOption {
	return func(c *serverConfig) error {
		if every < 0 {
			return fmt.Errorf("ServerHeartbeat of %v, want 0 or more", every)
		}
		c.stream.heartbeat = every
		return nil
	}
}

// ServerWriteTimeout limits how long one message of a stream may take to be written. A client that has not read for so long, or half
// as long again, is cut off, and the stream's context ends. The default is 30 s. It replaces an earlier one. It is for streams only:
// they are exempt from the WriteTimeout of an http.Server.
func ServerWriteTimeout(limit time.Duration) ServerOption {
	return func(c *serverConfig) error {
		if limit <= 0 {
			return fmt.Errorf("ServerWriteTimeout of %v, want more than 0", limit)
		}
		c.stream.write = limit
		return nil
	}
}

// ServerPing sets how often a WebSocket is asked whether its client is still there; the client has as long again to answer.
// While messages are on their way, or wait for the server to read them, a missing answer proves nothing: those are for
// ServerWriteTimeout. 0 asks never; the default is 30 s. It replaces an earlier one. It is for streams only.
func ServerPing(every time.Duration) ServerOption {
	return func(c *serverConfig) error {
		if every < 0 {
			return fmt.Errorf("ServerPing of %v, want 0 or more", every)
		}
		c.stream.ping = every
		return nil
	}
}

// ServerOrigins lets web pages of other origins open WebSockets. By default a page may whose host is the one that the
// request was sent to, and programs that send no Origin. A pattern is an origin, such as "https://shop.example.com", or
// "https://*.example.com" for all below one. "*" is everybody, and browsers send cookies along: it is only for what anybody may do.
// It is for streams only.
func ServerOrigins(patterns ...string) ServerOption {
	return func(c *serverConfig) error {
		all, err := origin.NewList("ServerOrigins", append(c.stream.origins.Patterns(), patterns...))
		c.stream.origins = all
		return err
	}
}

// carrier is what a client's stream travels in.
type carrier uint8

const (
	byKind carrier = iota // NDJSON, or a WebSocket where the kind needs one
	bySSE
	byWebSocket
)

// ClientSSE reads a server stream as server-sent events instead of NDJSON, so that messages with a SetEvent method get
// the ids of their events. It is for server streams only.
func ClientSSE() ClientOption {
	return func(c *clientConfig) error {
		c.carrier = bySSE
		return nil
	}
}

// ClientWebSocket opens a WebSocket whatever the kind of the stream. It is for streams only.
func ClientWebSocket() ClientOption {
	return func(c *clientConfig) error {
		c.carrier = byWebSocket
		return nil
	}
}

// set returns the name of an option for streams that was given, "" for none.
func (s serverStreams) set() string {
	switch {
	case s.heartbeat != defaultServerStreams.heartbeat:
		return "ServerHeartbeat"
	case s.write != defaultServerStreams.write:
		return "ServerWriteTimeout"
	case s.ping != defaultServerStreams.ping:
		return "ServerPing"
	case s.origins != nil:
		return "ServerOrigins"
	}
	return ""
}
