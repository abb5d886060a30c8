package json

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

// longestPath is how many steps a path shows.
const longestPath = 64

// path turns a JSON pointer into a path: /items/3/price becomes items[3].price. Only the document can tell whether 3 is
// the index in an array or the name of a member, so it is read once more.
func path(data []byte, pointer jsontext.Pointer) string {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var steps []func(rest string) string
	for token := range pointer.Tokens() {
		if len(steps) == longestPath {
			break
		}
		if index, err := strconv.Atoi(token); err == nil && dec.PeekKind() == '[' {
			steps = append(steps, func(rest string) string { return docpath.Index(index, rest) })
			findElement(dec, index)
		} else {
			steps = append(steps, func(rest string) string { return docpath.Member(token, rest) })
			findMember(dec, token)
		}
	}
	p := ""
	for _, step := range slices.Backward(steps) {
		p = step(p)
	}
	return p
}

// findElement moves to an element of the array that comes next. Whatever fails does so again at the next step.
func findElement(dec *jsontext.Decoder, index int) {
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for range index {
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
