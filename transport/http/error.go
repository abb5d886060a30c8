package httptransport

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

// Error gives an error an HTTP status, and header fields, other than those of its code: return it from an endpoint or a
// decoder, wrapped or not, where 413, 415 or a Location say more than the code does. Clients do not return it.
type Error struct {
	Status int         // 400 to 599; anything else counts as 500
	Header http.Header // added to the response; may be nil
	Err    error       // what status.From makes the problem details of
}

// Error returns the text of Err.
func (e *Error) Error() string { return fmt.Sprintf("http %d: %v", e.Status, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// WriteError answers with err as the servers of this package do, for handlers beside them and middleware of net/http: what
// status.From lets the caller see of it, as problem details, with the status and the header fields of an *Error, if it has one. It logs
// nothing; to log the ID of an error that is no status, give it the result of status.From. Nothing may have been written to w.
func WriteError(w http.ResponseWriter, err error) {
	if err == nil {
		err = errNone
	}
	httpErr, _ := errors.AsType[*Error](err)
	if _, _, err = writeError(w, status.From(err), httpErr); err != nil {
		return // a client that has gone needs no answer
	}
}

var errNone = errors.New("httptransport: WriteError without an error")

// writeError answers with err as problem details. It returns the status and the size of the body.
func writeError(w http.ResponseWriter, err *status.Error, httpErr *Error) (code int, size int, writeErr error) {
	code = err.Code.HTTP()
	header := w.Header()
	for _, key := range [...]string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		delete(header, key) // they spoke of the response that is not sent
	}
	if caching := header["Cache-Control"]; len(caching) != 1 || caching[0] != "no-store" {
		delete(header, "Cache-Control") // so did this, but for what holds for every answer
	}
	if httpErr != nil {
		code = httpErr.Status
		if code < 400 || code > 599 {
			code = http.StatusInternalServerError
		}
		for key, values := range httpErr.Header {
			for _, value := range values {
				header.Add(key, value)
			}
		}
	}
	for key, values := range header { // a challenge, or what middleware took from the request
		header[key] = fieldrule.Clean(values)
	}
	header["Content-Type"] = problemType
	header["X-Content-Type-Options"] = noSniff
	if err.RetryAfter > 0 {
		seconds := err.RetryAfter / time.Second
		if err.RetryAfter%time.Second > 0 {
			seconds++
		}
		header["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
	}
	buf := buffer.Get()
	defer buf.Free()
	buf.B = err.AppendProblem(buf.B, code, http.StatusText(code))
	header["Content-Length"] = []string{strconv.Itoa(len(buf.B))}
	w.WriteHeader(code)
	size, writeErr = w.Write(buf.B)
	return code, size, writeErr
}

var (
	problemType = []string{status.ProblemType}
	noSniff     = []string{"nosniff"}
)
