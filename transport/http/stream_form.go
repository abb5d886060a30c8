package httptransport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
)

// framing is how the messages of a server stream stand in the body of a response. Its methods append to dst.
type framing interface {
	message(dst []byte, c codec.Codec, v any) ([]byte, error)
	problem(dst []byte, err *status.Error, code int) []byte
	end(dst []byte) []byte
	heartbeat() []byte
}

// streamForms are the forms of a server stream, in the order of preference.
var (
	streamTypes = []string{ndjsonType, jsonlType, sseType}
	streamForms = [...]framing{ndjson{}, ndjson{}, sse{}}
)

// The content types of streams.
const (
	ndjsonType = "application/x-ndjson"
	jsonlType  = "application/jsonl"
	sseType    = "text/event-stream"
)

// negotiateStream chooses the form of a server stream by Accept.
func negotiateStream(r *http.Request) (framing, string, error) {
	i, notOne := codec.Negotiate(r.Header["Accept"], streamTypes)
	if notOne != nil {
		return nil, "", notAcceptable(notOne)
	}
	return streamForms[i], streamTypes[i], nil
}

// What stands in the place of a message.
const (
	errorPrefix = `{"$error":`
	endPrefix   = `{"$end":`
)

var errReserved = errors.New(`a message begins with {"$error": or {"$end":, which are reserved`)

// isControl reports whether data is no message.
func isControl(data []byte) bool {
	const common = `{"$e`
	return len(data) > len(common) && string(data[:len(common)]) == common &&
		(bytes.HasPrefix(data, []byte(errorPrefix)) || bytes.HasPrefix(data, []byte(endPrefix)))
}

// appendControl appends err in the place of a message.
func appendControl(dst []byte, err *status.Error, code int) []byte {
	return append(err.AppendProblem(append(dst, errorPrefix...), code, http.StatusText(code)), '}')
}

// ndjson is one JSON value a line: https://github.com/ndjson/ndjson-spec.
type ndjson struct{}

func (ndjson) message(dst []byte, c codec.Codec, v any) ([]byte, error) {
	at := len(dst)
	dst, err := c.Append(dst, v)
	switch {
	case err != nil:
		return dst, fmt.Errorf("encoding a message: %w", err)
	case isControl(dst[at:]):
		return dst[:at], errReserved
	case bytes.IndexByte(dst[at:], '\n') >= 0:
		return dst[:at], errors.New("the encoding of a message has a line break, which ends a message in NDJSON")
	}
	return append(dst, '\n'), nil
}

func (ndjson) problem(dst []byte, err *status.Error, code int) []byte {
	return append(appendControl(dst, err, code), '\n')
}

func (ndjson) end(dst []byte) []byte { return dst }

var blankLine = []byte("\n")

func (ndjson) heartbeat() []byte { return blankLine }

// sse is server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html.
type sse struct{}

// The events that are no messages.
const (
	endEvent     = "end"
	problemEvent = "problem"
)

func (sse) message(dst []byte, c codec.Codec, v any) ([]byte, error) {
	start := len(dst)
	if m, ok := v.(EventIDer); ok {
		id := m.EventID()
		if strings.ContainsAny(id, "\r\n\x00") {
			return dst, fmt.Errorf("the event id %q has a line break or a null in it", id)
		}
		if id != "" { // which would make an EventSource forget the last one
			dst = append(append(append(dst, "id: "...), id...), '\n')
		}
	}
	if m, ok := v.(EventNamer); ok {
		name := m.EventName()
		if strings.ContainsAny(name, "\r\n") || name == endEvent || name == problemEvent || name == "error" || name == "open" {
			return dst[:start], fmt.Errorf("the event name %q is reserved, or has a line break in it", name)
		}
		if name != "" {
			dst = append(append(append(dst, "event: "...), name...), '\n')
		}
	}
	dst = append(dst, "data: "...)
	at := len(dst)
	dst, err := c.Append(dst, v)
	if err != nil {
		return dst[:start], fmt.Errorf("encoding a message: %w", err)
	}
	if bytes.ContainsAny(dst[at:], "\r\n") {
		dst = splitData(dst, at)
	}
	return append(dst, "\n\n"...), nil
}

// splitData makes a data line of each line of what stands from at on.
func splitData(dst []byte, at int) []byte {
	text := strings.ReplaceAll(strings.ReplaceAll(string(dst[at:]), "\r\n", "\n"), "\r", "\n")
	return append(dst[:at], strings.ReplaceAll(text, "\n", "\ndata: ")...)
}

func (sse) problem(dst []byte, err *status.Error, code int) []byte {
	dst = append(dst, "event: "+problemEvent+"\ndata: "...)
	return append(err.AppendProblem(dst, code, http.StatusText(code)), "\n\n"...)
}

// end keeps an EventSource from coming back for ever: it closes itself when it hears of the event.
func (sse) end(dst []byte) []byte { return append(dst, "event: "+endEvent+"\ndata: {}\n\n"...) }

var comment = []byte(":\n\n")

func (sse) heartbeat() []byte { return comment }

// problemStatus is the HTTP status that err has in a problem.
func problemStatus(shown *status.Error, err error) int {
	if e, ok := errors.AsType[*Error](err); ok && e.Status >= 400 && e.Status <= 599 {
		return e.Status
	}
	return shown.Code.HTTP()
}

// messageError says which message of a stream err is about, if it is about one.
func messageError(n int, limit int64, err error) error {
	if errors.Is(err, errTooLarge) {
		return &Error{Status: http.StatusRequestEntityTooLarge, Err: status.Errorf(status.ResourceExhausted,
			"message %d is larger than %d bytes", n, limit).WithReason(reasonTooLarge)}
	}
	e := status.As(err)
	if e == nil || e.Code != status.InvalidArgument {
		return err
	}
	numbered := e.WithCause(err)
	numbered.Message = "message " + strconv.Itoa(n) + ": " + e.Message
	return numbered
}
