package workqueue

import (
	"iter"
	"net/textproto"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/transport"
)

// received is the header of a message that came, whose keys are spelt as whoever published it liked.
type received nats.Header

// Get returns the first value of the key.
func (h received) Get(key string) string {
	if values := h.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns the values of the key in its canonical spelling, or else of the first spelling that is found.
func (h received) Values(key string) []string {
	if values, ok := h[textproto.CanonicalMIMEHeaderKey(key)]; ok {
		return values
	}
	for other, values := range h {
		if strings.EqualFold(other, key) {
			return values
		}
	}
	return nil
}

// Set does nothing: a server does not change what came.
func (received) Set(string, ...string) {}

// All yields each key with its values.
func (h received) All() iter.Seq2[string, []string] { return transport.HeaderMap(h).All() }

// fields is a header that is made when the first field is set.
type fields struct{ transport.HeaderMap }

// Set replaces the values of the key; without values it removes the key.
func (f *fields) Set(key string, values ...string) {
	if f.HeaderMap == nil {
		f.HeaderMap = make(transport.HeaderMap)
	}
	f.HeaderMap.Set(key, values...)
}

// Names of header fields, in canonical form.
const (
	contentTypeField = "Content-Type"
	natsPrefix       = "Nats-"        // of the fields that mean something to JetStream
	deadPrefix       = "Ashlar-Dead-" // of those that a dead letter has
)
