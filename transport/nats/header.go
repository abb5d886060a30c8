package natstransport

import (
	"fmt"
	"iter"
	"net/textproto"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

const (
	contentType = "Content-Type"
	statusField = "Status" // of messages that the NATS server makes
)

// header is a transport.Header that costs nothing until something is set.
type header struct {
	fields transport.HeaderMap
	sent   bool // what is set from now on has no effect
}

func (h *header) Get(key string) string            { return h.fields.Get(key) }
func (h *header) Values(key string) []string       { return h.fields.Values(key) }
func (h *header) All() iter.Seq2[string, []string] { return h.fields.All() }
func (h *header) Set(key string, values ...string) {
	if h.sent {
		return
	}
	if h.fields == nil {
		h.fields = make(transport.HeaderMap)
	}
	h.fields.Set(key, values...)
}

// canonical returns what came with a message in the form of a HeaderMap: NATS compares keys with regard to case, and Ashlar does not.
func canonical(h nats.Header) transport.HeaderMap {
	for key := range h {
		if textproto.CanonicalMIMEHeaderKey(key) != key {
			return canonicalCopy(h)
		}
	}
	return transport.HeaderMap(h)
}

func canonicalCopy(h nats.Header) transport.HeaderMap {
	fields := make(transport.HeaderMap, len(h))
	for key, values := range h {
		key = textproto.CanonicalMIMEHeaderKey(key)
		fields[key] = append(fields[key], values...)
	}
	return fields
}

// checkHeader refuses fields that NATS cannot carry, or would change.
func checkHeader(fields transport.HeaderMap) error {
	for name, values := range fields {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == ':' || c >= 0x7f }) {
			return fmt.Errorf("%q is no name of a header field", name)
		}
		if err := fieldrule.CheckValues(name, values); err != nil {
			return err
		}
	}
	return nil
}
