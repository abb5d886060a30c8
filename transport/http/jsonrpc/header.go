package jsonrpc

import (
	"iter"
	"net/http"
	"slices"

	"github.com/ashlar-go/ashlar/transport"
)

// header holds the response fields that one call sets, apart from those of the others. It costs nothing until something is set.
type header struct{ fields transport.HeaderMap }

func (h *header) Get(key string) string            { return h.fields.Get(key) }
func (h *header) Values(key string) []string       { return h.fields.Values(key) }
func (h *header) All() iter.Seq2[string, []string] { return h.fields.All() }
func (h *header) Set(key string, values ...string) {
	if h.fields == nil {
		h.fields = make(transport.HeaderMap)
	}
	h.fields.Set(key, values...)
}

// framing are the fields that speak of the body as a whole, which no call knows.
var framing = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Etag", "Last-Modified", "Trailer",
	"Transfer-Encoding",
}

// merge adds the fields of one call to those of the response: behind the values of the calls before it, each value once.
func (h *header) merge(into http.Header) http.Header {
	for key, values := range h.fields {
		if slices.Contains(framing, key) {
			continue
		}
		if into == nil {
			into = make(http.Header)
		}
		for _, value := range values {
			if !slices.Contains(into[key], value) {
				into[key] = append(into[key], value)
			}
		}
	}
	return into
}
