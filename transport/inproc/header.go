package inproc

import (
	"iter"

	"github.com/ashlar-go/ashlar/transport"
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
