package ratelimit

import "github.com/ashlar-go/ashlar/endpoint"

// Event is something that a Gate has done, for logs and metrics.
type Event struct {
	Kind      EventKind
	Operation string // Spec.Operation of the call
	Side      endpoint.Side
	Policy    string // of the Gate; empty where it has no name
	Err       error  // what the call is refused with, or what the limiter failed with
}

// EventKind says what has happened.
type EventKind uint8

// The kinds of events.
const (
	Refused       EventKind = iota + 1 // A call, or a message of a stream, was refused.
	LimiterFailed                      // The limiter failed, where it had not before. It may fail again before it is back.
	LimiterBack                        // It has decided again.
)

// String returns "refused", "limiter failed" or "limiter back".
func (k EventKind) String() string {
	switch k {
	case Refused:
		return "refused"
	case LimiterFailed:
		return "limiter failed"
	case LimiterBack:
		return "limiter back"
	}
	return "unknown"
}

func (c *config) tell(e Event) {
	for _, told := range c.events {
		told(e)
	}
}
