package log

import (
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// lineWriter writes one line at a time, and escapes the characters that go-kit's encoders let through although a terminal or
// a viewer may take them for the end of a line, or for something that reorders or hides text.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) Write(line []byte) (int, error) {
	safe := escapeLine(line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, err := l.w.Write(safe); err != nil {
		return min(n, len(line)), fmt.Errorf("log: writing a line: %w", err)
	}
	return len(line), nil
}

// escapeLine returns line with such characters as \uXXXX, which means the same inside the quotes of JSON and logfmt. Line is
// returned as it is where it has none, and not changed.
func escapeLine(line []byte) []byte {
	var out []byte
	start := 0
	for i := 0; i < len(line); {
		if c := line[i]; c < utf8.RuneSelf && c != del {
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		if misleads(r) {
			out = append(out, line[start:i]...)
			out = fmt.Appendf(out, `\u%04x`, r)
			start = i + size
		}
		i += size
	}
	if out == nil {
		return line
	}
	return append(out, line[start:]...)
}

const del = 0x7f

func misleads(r rune) bool {
	switch {
	case r >= del && r <= 0x9f: // delete, and the C1 controls: next line, control sequence introducer
		return true
	case r == 0x2028 || r == 0x2029: // line and paragraph separator
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional overrides and isolates
		return true
	case r == 0x200e || r == 0x200f || r == 0x061c: // bidirectional marks
		return true
	}
	return false
}
