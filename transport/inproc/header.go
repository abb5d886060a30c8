package inproc

import (
	"fmt"
	"iter"
	"strings"

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

// refuse empties a header that no network could carry, so that tests in the process find it, and says what is wrong with it.
func (h *header) refuse() error {
	for name, values := range h.fields {
		if err := checkField(name, values); err != nil {
			h.fields = nil
			return err
		}
	}
	return nil
}

// checkField fails for a field that HTTP refuses to send.
func checkField(name string, values []string) error {
	const delimiters = `"(),/:;<=>?@[\]{}` // RFC 9110, section 5.6.2
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(delimiters, c) }) {
		return fmt.Errorf("%q is no name of a header field", name)
	}
	for _, value := range values {
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return fmt.Errorf("the header field %s has a value with a control character", name)
		}
	}
	return nil
}
