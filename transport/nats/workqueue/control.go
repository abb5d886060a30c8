package workqueue

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// control is what JetStream says of a pull request, instead of a message: https://github.com/nats-io/nats-architecture-and-design,
// ADR-13, and the source of the server.
type control struct {
	kind  controlKind
	unmet int    // of an expired request: how many messages it was short of
	text  string // what was said, for errors
}

type controlKind uint8

const (
	delivered    controlKind = iota // it is none, but a message
	sign                            // JetStream is still there
	expired                         // a request has ended, and what it was short of does not come
	interrupted                     // all requests have ended: their leader has changed, or the server goes down
	unanswered                      // nobody has taken the request
	gone                            // the consumer was deleted
	disagreement                    // the request was refused
)

// parseControl reads what a message on the worker's inbox is. A delivery has a reply subject, to be acknowledged on, and nothing that its
// publisher put into its header makes it anything else.
func parseControl(msg *nats.Msg) control {
	if msg.Reply != "" {
		return control{}
	}
	status := msg.Header.Get("Status")
	description := msg.Header.Get("Description")
	c := control{text: strings.TrimSpace(cmp.Or(status, "a message without a reply subject") + " " + description)}
	said := strings.ToLower(description)
	unmet, err := strconv.Atoi(msg.Header.Get("Nats-Pending-Messages"))
	switch {
	case status == "100":
		c.kind = sign
	case status == "503":
		c.kind = unanswered
	case err == nil && unmet >= 0 && (status == "408" || status == "409"):
		c.kind, c.unmet = expired, unmet
	case status == "409" && said == "consumer deleted":
		c.kind = gone
	case status == "409" && (said == "leadership change" || said == "server shutdown") || status == "408" || status == "404":
		c.kind = interrupted
	default:
		c.kind = disagreement
	}
	return c
}
