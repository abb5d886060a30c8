package httptransport

import (
	"net/http"
	"strings"
)

// notModified reports whether the client of a GET or HEAD has the representation that the response would be, by the entity tag in
// its own header fields or those of the hooks: RFC 9110, section 13.1.2, by weak comparison.
func notModified(r *http.Request, own, hooks http.Header) bool {
	lists := r.Header["If-None-Match"]
	if len(lists) == 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	etag := strings.TrimPrefix(etagOf(own, hooks), "W/")
	if etag == "" {
		return false
	}
	for _, list := range lists {
		if strings.TrimSpace(list) == "*" {
			return true
		}
		for list != "" {
			var tag string
			if tag, list = nextETag(list); tag == etag {
				return true
			}
		}
	}
	return false
}

// etagOf returns the entity tag of a response with these header fields of its own and of the hooks; "" if it has none.
func etagOf(own, hooks http.Header) string {
	for key, values := range own { // whose keys need not be canonical
		if len(values) > 0 && strings.EqualFold(key, "ETag") {
			return values[0]
		}
	}
	return hooks.Get("ETag")
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
