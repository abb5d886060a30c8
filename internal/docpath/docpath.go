// Package docpath writes the path of a value inside a document, such as items[3].price, from the inside out: each level
// puts its own step before the rest, so that a path costs nothing until something fails.
package docpath

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many bytes of a name that came in a document are repeated.
const maxName = 64

// Member puts the name of a member before rest. A name that would make the path ambiguous is quoted, and cut if it is
// long: limits["a.b"].
func Member(name, rest string) string {
	if !plain(name) {
		name = "[" + strconv.Quote(Cut(name, maxName)) + "]"
	}
	return Join(name, rest)
}

// Index puts the index of an element before rest.
func Index(i int, rest string) string { return Join("["+strconv.Itoa(i)+"]", rest) }

// Join puts one path before another. Either may be empty.
func Join(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

// plain reports whether a name can stand in a path as it is.
func plain(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`.[]"\`, r)
	})
}

// Cut returns text, or if it is longer than most bytes its beginning and "...". A character is not cut in two.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
