package log

import "unicode/utf8"

// What one value may take up of a line. New's comment has these numbers too.
const (
	maxText  = 64 << 10    // bytes of a text: the stack of a panic fits, and collectors of lines take little more
	maxKey   = 1 << 10     // bytes
	maxDepth = 32          // levels of a rendered value, beyond what a person reads
	maxNodes = 4096        // members and elements of a rendered value
	maxValue = 4 * maxText // bytes of a rendered value, after which only what is open is closed
)

// omitted stands for what is beyond a limit.
const omitted = "[...]"

// cut returns text as a string, and of one that is longer than limit bytes that many, with omitted after them. It leaves what it has
// cut as it is.
func cut[T string | []byte](text T, limit int) string {
	if len(text) <= limit+len(omitted) {
		return string(text)
	}
	for n := limit; n > limit-utf8.UTFMax; n-- { // else there is no UTF-8 to keep whole
		if utf8.RuneStart(text[n]) {
			limit = n
			break
		}
	}
	return string(text[:limit]) + omitted
}
