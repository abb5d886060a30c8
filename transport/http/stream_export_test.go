package httptransport

import (
	"io"

	"github.com/ashlar-go/ashlar/codec/json"
)

// Lines reads NDJSON.
func Lines(r io.Reader, limit int64) func() ([]byte, error) { return newLineReader(r, limit).next }

// Events reads server-sent events.
func Events(r io.Reader, limit int64) func() (id, name string, data []byte, err error) {
	events := newEventReader(r, limit)
	return func() (string, string, []byte, error) {
		e, err := events.next()
		return e.id, e.name, e.data, err
	}
}

// AppendEvent writes a message as a server-sent event.
func AppendEvent(dst []byte, v any) ([]byte, error) { return sse{}.message(dst, json.New(), v) }

// AppendLine writes a message as NDJSON.
func AppendLine(dst []byte, v any) ([]byte, error) { return ndjson{}.message(dst, json.New(), v) }
