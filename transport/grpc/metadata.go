package grpctransport

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"google.golang.org/grpc/metadata"
)

// fieldSeq yields header fields.
type fieldSeq = iter.Seq2[string, []string]

// received is a transport.Header of metadata that came from the other side.
type received metadata.MD

func (h received) Get(key string) string {
	if values := h.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (h received) Values(key string) []string { return h[strings.ToLower(key)] }

func (h received) Set(key string, values ...string) {
	if h == nil {
		return
	}
	if len(values) == 0 {
		delete(h, strings.ToLower(key))
		return
	}
	h[strings.ToLower(key)] = values
}

func (h received) All() fieldSeq {
	return func(yield func(string, []string) bool) {
		for key, values := range h {
			if !yield(key, values) {
				return
			}
		}
	}
}

// binarySuffix ends the keys whose values may be any bytes. Grpc-go puts them into base64.
const binarySuffix = "-bin"

// checkField refuses what gRPC cannot carry. Grpc-go would drop some of it without a word, and send the rest.
func checkField(key string, values []string) error {
	switch key {
	case "":
		return errors.New("a header field has no name")
	case "content-type", "content-length", "te", "user-agent", "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding",
		"upgrade":
		return fmt.Errorf("the header field %q belongs to gRPC", key)
	}
	if key[0] == ':' || strings.HasPrefix(key, "grpc-") {
		return fmt.Errorf("the header field %q belongs to gRPC", key)
	}
	for i := range len(key) {
		if c := key[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("%q is no name of a header field: gRPC takes letters, digits, '-', '_' and '.'", key)
		}
	}
	if strings.HasSuffix(key, binarySuffix) {
		return nil
	}
	for _, value := range values {
		for i := range len(value) {
			if c := value[i]; c < ' ' || c > '~' {
				return fmt.Errorf("the header field %q has a value that is not printable ASCII; one whose name ends in %s may have any bytes",
					key, binarySuffix)
			}
		}
	}
	return nil
}
