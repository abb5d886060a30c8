package httptransport_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// allLines reads lines until an error, of which io.EOF does not count.
func allLines(r io.Reader, limit int64) (all []string, err error) {
	next := httptransport.Lines(r, limit)
	for {
		line, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, string(line))
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"n\":1}\n{\"n\":2}\n"), int64(100))
	f.Add([]byte("\r\n \n1\r\n2"), int64(1))
	f.Add([]byte(strings.Repeat("x", 17<<10)+"\ny\n"), int64(17<<10))
	f.Fuzz(func(t *testing.T, data []byte, limit int64) {
		limit &= 1<<20 - 1
		have, err := allLines(bytes.NewReader(data), limit)
		slow, slowErr := allLines(iotest.OneByteReader(bytes.NewReader(data)), limit)
		if !slices.Equal(have, slow) || (err == nil) != (slowErr == nil) {
			t.Fatalf("read byte by byte: want %q, %v; have %q, %v", have, err, slow, slowErr)
		}
		var want []string
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			if line = bytes.Trim(line, " \t\r"); len(line) > 0 {
				want = append(want, string(line))
			}
		}
		if err == nil && !slices.Equal(want, have) {
			t.Fatalf("want %q, have %q", want, have)
		}
		for _, line := range have {
			if int64(len(line)) > limit {
				t.Fatalf("a line of %d bytes passed the limit of %d", len(line), limit)
			}
		}
		if longest := slices.MaxFunc(append(want, ""), func(a, b string) int { return len(a) - len(b) }); err == nil && int64(len(longest)) > limit {
			t.Fatalf("a line of %d bytes passed the limit of %d", len(longest), limit)
		}
	})
}

// sent is an event as it was read.
type readEvent struct{ id, name, data string }

func allEvents(r io.Reader, limit int64) (all []readEvent, err error) {
	next := httptransport.Events(r, limit)
	for {
		id, name, data, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
		all = append(all, readEvent{id, name, string(data)})
	}
}

func TestEventsAreReadAsTheStandardSays(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string][]readEvent{
		"data: YHOO\ndata: +2\ndata: 10\n\n": {{"", "", "YHOO\n+2\n10"}},
		": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n": {{"1", "", "first event"}, {"", "", "second event"}, {"", "", " third event"}},
		"data\n\ndata\ndata\n\ndata:":                                          {{"", "", ""}, {"", "", "\n"}}, //nolint:dupword // from the standard
		"data:test\n\ndata: test\n\n":                                          {{"", "", "test"}, {"", "", "test"}},
		"event: a\rdata: 1\r\revent: b\r\ndata: 2\r\n\r\ndata: 3\n\r":          {{"", "a", "1"}, {"", "b", "2"}, {"", "", "3"}},
		"\uFEFFdata: 1\n\n\uFEFFdata: 2\n\n":                                   {{"", "", "1"}},
		"event: lost\n\nid: 7\n\nid: \x00\nretry: 10\nunknown: x\ndata: 1\n\n": {{"7", "", "1"}},
		"data: cut off": nil,
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream))} {
			if have, err := allEvents(r, 100); err != nil || !slices.Equal(want, have) {
				t.Errorf("%q, %s: want %q, have %q, %v", stream, name, want, have, err)
			}
		}
	}
}

func TestEventsHaveALimit(t *testing.T) {
	t.Parallel()
	for stream, fits := range map[string]bool{
		"data: 12345678\n\n":                     true,
		"data: 123456789\n\n":                    false,
		"data: 1234\ndata: 123\n\n":              true,
		"data: 1234\ndata: 12345\n\n":            false,
		": " + strings.Repeat("x", 100) + "\n\n": false,
	} {
		if _, err := allEvents(strings.NewReader(stream), 8); (err == nil) != fits {
			t.Errorf("%q: want fits %t, have %v", stream, fits, err)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte("data: 1\nid: 2\nevent: x\n\n"), int64(100))
	f.Add([]byte("\uFEFFdata\rdata:x\r\n\r\n: c\n\n"), int64(10))
	f.Fuzz(func(t *testing.T, data []byte, limit int64) {
		limit &= 1<<20 - 1
		have, err := allEvents(bytes.NewReader(data), limit)
		slow, slowErr := allEvents(iotest.OneByteReader(bytes.NewReader(data)), limit)
		if !slices.Equal(have, slow) || (err == nil) != (slowErr == nil) {
			t.Fatalf("read byte by byte: want %q, %v; have %q, %v", have, err, slow, slowErr)
		}
		for _, e := range have {
			if int64(len(e.data)) > limit {
				t.Fatalf("an event of %d bytes passed the limit of %d", len(e.data), limit)
			}
			if strings.ContainsAny(e.id+e.name, "\r\n") || strings.ContainsRune(e.data, '\r') {
				t.Fatalf("a line break is left in %q", e)
			}
		}
	})
}

// FuzzWrittenEvents reads what was written.
func FuzzWrittenEvents(f *testing.F) {
	f.Add("7", "tick", "hello\nworld")
	f.Add("", "end", "\r\n\u2028")
	f.Add("a\x00", "a\nb", "\uFEFF")
	f.Fuzz(func(t *testing.T, id, name, text string) {
		if !utf8.ValidString(text) {
			return
		}
		message := &bad{Error: text, name: name, id: id}
		event, err := httptransport.AppendEvent(nil, message)
		if err != nil {
			return
		}
		all, err := allEvents(bytes.NewReader(append(event, event...)), 1<<30)
		if err != nil || len(all) != 2 || all[0] != all[1] {
			t.Fatalf("%q: want the event twice, have %q, %v", event, all, err)
		}
		var have bad
		if err := json.Unmarshal([]byte(all[0].data), &have); err != nil || all[0].id != id || all[0].name != name || have.Error != text {
			t.Fatalf("want %q, %q, %q; have %q, %v", id, name, text, all[0], err)
		}
		line, err := httptransport.AppendLine(nil, message)
		if err != nil {
			if text == "" {
				t.Fatal(err)
			}
			return // it begins with $error
		}
		if lines, err := allLines(bytes.NewReader(line), 1<<30); err != nil || len(lines) != 1 {
			t.Fatalf("%q: want one line, have %q, %v", line, lines, err)
		}
	})
}
