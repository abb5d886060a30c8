package xml

import (
	"bytes"
	"fmt"
)

// scan returns what is wrong with a document before anything is built from it: it nests too deep, has too many elements, or a
// declaration of a document type, wherever that stands. It finds no fault with most of what is no XML.
func (s *settings) scan(data []byte) (problem string) {
	depth, elements := 0, 0
	for rest := data; ; {
		start := bytes.IndexByte(rest, '<')
		if start < 0 {
			return ""
		}
		rest = rest[start:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			rest = after(rest[4:], "-->")
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			rest = after(rest, "]]>")
		case bytes.HasPrefix(rest, []byte("<!")):
			line := 1 + bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
			return fmt.Sprintf("invalid XML at line %d: a document type declaration", line)
		case bytes.HasPrefix(rest, []byte("<?")):
			rest = after(rest, "?>")
		case bytes.HasPrefix(rest, []byte("</")):
			depth--
			rest = rest[2:]
		default:
			if depth++; depth > s.maxDepth {
				return fmt.Sprintf("nested deeper than %d levels", s.maxDepth)
			}
			if elements++; elements > s.maxElements {
				return fmt.Sprintf("want at most %d elements", s.maxElements)
			}
			end := tagEnd(rest)
			if end > 0 && rest[end-1] == '/' {
				depth--
			}
			rest = rest[end:]
		}
	}
}

func after(data []byte, end string) []byte {
	_, rest, _ := bytes.Cut(data, []byte(end))
	return rest
}

// tagEnd returns the index of the > that ends the tag in front, which may have quoted ones before.
func tagEnd(data []byte) int {
	quote := byte(0)
	for i, b := range data {
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '>':
			return i
		}
	}
	return len(data)
}
