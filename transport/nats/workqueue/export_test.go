package workqueue

import (
	"time"

	"github.com/nats-io/nats.go"
)

// BackoffLimit is the longest delay after a delivery.
func BackoffLimit(first, most time.Duration, attempt int) time.Duration {
	return backoff{first, most}.limit(attempt)
}

// BackoffDelay is one of the delays after a delivery.
func BackoffDelay(first, most time.Duration, attempt int) time.Duration {
	return backoff{first, most}.delay(attempt)
}

// ServerPull sets how long a request for messages waits, and how often JetStream says that it does.
func ServerPull(expires, sign time.Duration) ServerOption {
	return func(c *serverConfig) error {
		c.pullExpires, c.pullSign = expires, sign
		return nil
	}
}

// ParseControl reads a control message.
func ParseControl(msg *nats.Msg) (kind uint8, unmet int, text string) {
	c := parseControl(msg)
	return uint8(c.kind), c.unmet, c.text
}

// Covers reports whether a subject matches a filter.
func Covers(filter, subject string) bool { return covers(filter, subject) }

// Kinds of control messages.
const (
	Delivered    = uint8(delivered)
	Sign         = uint8(sign)
	Expired      = uint8(expired)
	Interrupted  = uint8(interrupted)
	Unanswered   = uint8(unanswered)
	Gone         = uint8(gone)
	Disagreement = uint8(disagreement)
)
