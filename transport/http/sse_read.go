package httptransport

import (
	"bufio"
	"bytes"
	"io"
)

// event is a server-sent event.
type event struct {
	id   string // of the last event that had one
	name string // "" for message
	data []byte // valid until the next event
}

// eventReader reads server-sent events as the HTML standard wants it: section 9.2.6, interpreting an event stream.
type eventReader struct {
	r      *bufio.Reader
	limit  int64
	id     string
	names  map[string]string // short names that were seen, so that none is copied twice
	data   []byte
	long   []byte // a line that did not stand in the buffer of r as a whole
	skipLF bool   // the last line ended in a CR
	begun  bool   // what may be a byte order mark is past
	read   int64  // bytes
}

func newEventReader(r io.Reader, limit int64) *eventReader {
	const bufferSize = 16 << 10
	return &eventReader{r: bufio.NewReaderSize(r, bufferSize), limit: limit, names: make(map[string]string)}
}

// next returns the next event. An event that the stream ends in the middle of is dropped, and the error is then io.EOF. An event or a
// line of more than limit bytes is errTooLarge.
func (e *eventReader) next() (event, error) {
	name, some := "", false
	e.data = e.data[:0]
	for {
		line, err := e.line()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if some {
				return event{id: e.id, name: name, data: bytes.TrimSuffix(e.data, []byte("\n"))}, nil
			}
			name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			if int64(len(e.data)+len(value)) > e.limit {
				return event{}, errTooLarge
			}
			e.data = append(append(e.data, value...), '\n')
			some = true
		case "event":
			name = e.intern(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 && string(value) != e.id {
				e.id = string(value)
			}
		}
	}
}

// intern returns the text of a name. It keeps as many as a server has, and none that is as long as no name.
func (e *eventReader) intern(name []byte) string {
	const most, longest = 64, 64
	if known, ok := e.names[string(name)]; ok {
		return known
	}
	text := string(name)
	if len(e.names) < most && len(name) <= longest {
		e.names[text] = text
	}
	return text
}

// line returns the next line without its end, which is CR, LF or both. It is valid until the following call.
func (e *eventReader) line() ([]byte, error) {
	const fieldName = 16 // room for "data: " and the like
	long := e.long[:0]
	for {
		if _, err := e.r.Peek(1); err != nil {
			return nil, err
		}
		chunk, _ := e.r.Peek(e.r.Buffered())
		if e.skipLF {
			e.skipLF = false
			if chunk[0] == '\n' {
				e.skip(1)
				continue
			}
		}
		end := lineEnd(chunk)
		part := chunk
		if end >= 0 {
			part = chunk[:end]
			e.skipLF = chunk[end] == '\r'
		}
		if int64(len(long)+len(part)) > e.limit+fieldName {
			return nil, errTooLarge
		}
		if end >= 0 && len(long) == 0 {
			e.skip(end + 1)
			return e.unmarked(part), nil
		}
		long = append(long, part...)
		e.long = long
		if end >= 0 {
			e.skip(end + 1)
			return e.unmarked(long), nil
		}
		e.skip(len(part))
	}
}

func (e *eventReader) skip(n int) {
	skipped, _ := e.r.Discard(n)
	e.read += int64(skipped)
}

// unmarked cuts a byte order mark off the first line.
func (e *eventReader) unmarked(line []byte) []byte {
	if e.begun {
		return line
	}
	e.begun = true
	return bytes.TrimPrefix(line, []byte("\uFEFF"))
}

// lineEnd returns where the first CR or LF is, -1 where there is none.
func lineEnd(data []byte) int {
	lf := bytes.IndexByte(data, '\n')
	if lf >= 0 {
		data = data[:lf]
	}
	if cr := bytes.IndexByte(data, '\r'); cr >= 0 {
		return cr
	}
	return lf
}
