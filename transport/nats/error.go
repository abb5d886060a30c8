package natstransport

import (
	"encoding/json"
	"errors"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// overloadedFor is how long the client of a server that is full is asked to wait.
const overloadedFor = 100 * time.Millisecond

var (
	errOverloaded = status.New(status.Unavailable, "the server has as many requests as it takes at once").
			WithReason("OVERLOADED").WithRetryAfter(overloadedFor)
	errShutdown = status.New(status.Unavailable, "the server is shutting down").WithReason("SHUTTING_DOWN")
	errClosed   = status.New(status.Unavailable, "the connection to NATS was closed")
	errLost     = status.New(status.Unavailable, "the connection to NATS was lost")
	errGone     = status.New(status.Canceled, "the client gave the call up")
	// errUnfinished is the outcome of a call whose endpoint ended its goroutine.
	errUnfinished = status.New(status.Internal, "the endpoint did not return")
	errEnded      = status.New(status.Canceled, "the call has ended")
)

// tooLarge is the error of a message of n bytes where limit are allowed. What is such as "the request".
func tooLarge(what string, n int, limit int64) *status.Error {
	return status.Errorf(status.ResourceExhausted, "%s has %d bytes, and may have %d", what, n, limit).WithReason("BODY_TOO_LARGE")
}

// carried returns how many bytes of a message NATS compares with its limit: those of the header, in the form of HTTP/1, and of the body.
func carried(header nats.Header, body []byte) int {
	n := len(body)
	if len(header) == 0 {
		return n
	}
	n += len("NATS/1.0\r\n\r\n")
	for key, values := range header {
		for _, value := range values {
			n += len(key) + len(value) + len(": \r\n")
		}
	}
	return n
}

// unsupportedType is what the client is told of a content type that no codec reads.
func unsupportedType(err error) error {
	if unsupported, ok := errors.AsType[*codec.UnsupportedTypeError](err); ok {
		return status.New(status.InvalidArgument, unsupported.Error()).WithReason("UNSUPPORTED_MEDIA_TYPE").WithCause(err)
	}
	return err
}

// setError makes m the answer that is the error, with the fields that it has already.
func setError(m *nats.Msg, err *status.Error) {
	if m.Header == nil {
		m.Header = make(nats.Header)
	}
	m.Header[contentType] = []string{status.ProblemType}
	m.Header[micro.ErrorHeader] = []string{describe(err)}
	m.Header[micro.ErrorCodeHeader] = []string{strconv.Itoa(err.Code.HTTP())}
	m.Data = err.AppendProblem(m.Data, 0, "")
}

// describe returns the message in one line, and never nothing.
func describe(err *status.Error) string {
	const most = 512
	text := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(err.Message, "\uFFFD"), isControl), " ")
	if text == "" {
		return err.Code.String()
	}
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// shortened returns what is sent of an error that NATS does not carry.
func shortened(err *status.Error) *status.Error {
	return &status.Error{Code: err.Code, Message: describe(err), Reason: cut(err.Reason), ID: cut(err.ID), RetryAfter: err.RetryAfter}
}

func cut(text string) string {
	const most = 128
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// errorOf returns the error that an answer is, nil for one that is none.
func errorOf(h transport.HeaderMap, data []byte) *status.Error {
	if len(h) == 0 || h[micro.ErrorHeader] == nil && h[micro.ErrorCodeHeader] == nil {
		return nil
	}
	e := sentError(h, data)
	if h.Get(transport.NotBegunHeader) == "true" {
		e.Cause = transport.ErrNotBegun
	}
	return e
}

// sentError reads the error of an answer. Without problem details, as of a micro service that is not Ashlar's, its code follows from
// Nats-Service-Error-Code, read as an HTTP status.
func sentError(h transport.HeaderMap, data []byte) *status.Error {
	if mediaType, _, _ := mime.ParseMediaType(h.Get(contentType)); mediaType == status.ProblemType {
		var e status.Error
		if json.Unmarshal(data, &e) == nil {
			return &e
		}
	}
	code := status.Unknown
	if n, err := strconv.Atoi(h.Get(micro.ErrorCodeHeader)); err == nil && n >= 400 && n <= 599 {
		code = status.FromHTTP(n)
	}
	return status.New(code, h.Get(micro.ErrorHeader))
}

// noResponders reports whether m says that nobody serves the subject: the NATS server sends it. An answer that has no body says what
// it is, though an endpoint may have set the same field.
func noResponders(m *nats.Msg) bool {
	const status = "503"
	return len(m.Data) == 0 && len(m.Header) > 0 && m.Header.Get(statusField) == status && m.Header[contentType] == nil
}
