package json

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	longestName = 64  // how much of a member's name a path shows
	longestPath = 512 // where a path breaks off
)

// path turns a JSON pointer into a path: /items/3/price becomes items[3].price. Only the document can tell whether 3 is
// the index in an array or the name of a member, so it is read once more. A name that would make the path ambiguous is
// quoted, as in limits["a.b"].
func path(data []byte, pointer jsontext.Pointer) string {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var b strings.Builder
	for token := range pointer.Tokens() {
		if b.Len() > longestPath {
			b.WriteString("...")
			break
		}
		if dec.PeekKind() == '[' {
			b.WriteString("[" + token + "]")
			skipTo(dec, token)
			continue
		}
		switch {
		case !plain(token):
			b.WriteString("[" + strconv.Quote(shorten(token)) + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
		findMember(dec, token)
	}
	return b.String()
}

// skipTo moves to the element of the array that comes next. Whatever fails does so again at the next step.
func skipTo(dec *jsontext.Decoder, index string) {
	n, err := strconv.Atoi(index)
	if err != nil {
		return
	}
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for range n {
		if dec.SkipValue() != nil {
			return
		}
	}
}

// findMember moves to the value of that name in the object that comes next.
func findMember(dec *jsontext.Decoder, name string) {
	if dec.PeekKind() != '{' {
		return
	}
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil || token.String() == name || dec.SkipValue() != nil {
			return
		}
	}
}

// plain reports whether a name can stand in a path as it is.
func plain(name string) bool {
	return name != "" && len(name) <= longestName && !strings.ContainsFunc(name, func(r rune) bool {
		return r == ' ' || !unicode.IsPrint(r) || strings.ContainsRune(".[]\"\\", r)
	})
}

func shorten(name string) string {
	if len(name) <= longestName {
		return name
	}
	return strings.ToValidUTF8(name[:longestName], "") + "..."
}
