package httptransport

import (
	"net/http"
	"strings"
)

// notModified reports whether the client of a GET or HEAD has the representation that etag names: RFC 9110, section
// 13.1.2, by weak comparison.
func notModified(r *http.Request, etag string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, value := range r.Header["If-None-Match"] {
		if strings.TrimSpace(value) == "*" {
			return true
		}
		for value != "" {
			var tag string
			if tag, value = nextETag(value); tag != "" && tag == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
	}
	return false
}

// nextETag cuts the first entity tag, without its W/, off a list. Commas may stand inside the quotes.
func nextETag(list string) (tag, rest string) {
	open := strings.IndexByte(list, '"')
	if open < 0 {
		return "", ""
	}
	end := strings.IndexByte(list[open+1:], '"')
	if end < 0 {
		return "", ""
	}
	end += open + 2
	return list[open:end], list[end:]
}
