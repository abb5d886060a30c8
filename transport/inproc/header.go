package inproc

import (
	"iter"

	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
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

// refuse empties a header that no network could carry, so that tests in the process find it, and says what is wrong with it.
func (h *header) refuse() error {
	for name, values := range h.fields {
		if err := fieldrule.Check(name, values); err != nil {
			h.fields = nil
			return err
		}
	}
	return nil
}
