package httptransport

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// lingerAfterEnd is how long a client may go on sending when it has been answered, so that it reads the answer.
const lingerAfterEnd = 500 * time.Millisecond

// upload reads the messages of a client stream from the body of a request.
type upload struct {
	x       *exchange
	control *http.ResponseController
	ahead   *readAhead
	lines   *lineReader
	unhook  func() bool
}

// newUpload begins to read r, also when the call is refused: net/http would read up to 256 KiB of what may never come before it answers.
// Cancel is called when its client goes away.
func newUpload(x *exchange, r *http.Request, cancel context.CancelCauseFunc) *upload {
	u := &upload{x: x, control: http.NewResponseController(x.w)}
	_ = u.control.SetReadDeadline(time.Time{})
	_ = u.control.SetWriteDeadline(time.Time{})
	if r.ProtoMajor == 1 {
		_ = u.control.EnableFullDuplex() // so that an answer does not wait for what is never read
	}
	u.ahead = newReadAhead(r.Body, cancel)
	u.lines = newLineReader(u.ahead, x.config.maxRequest)
	u.unhook = context.AfterFunc(x.ctx, func() { u.ahead.fail(ended(x.ctx)) })
	return u
}

// checkUpload refuses what is no NDJSON.
func checkUpload(r *http.Request) error {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != ndjsonType && mediaType != jsonlType {
		return &Error{
			Status: http.StatusUnsupportedMediaType,
			Header: http.Header{"Accept": {ndjsonType, jsonlType}},
			Err: status.Errorf(status.InvalidArgument, "content type %q is not supported; supported: %s, %s",
				r.Header.Get("Content-Type"), ndjsonType, jsonlType).WithReason("UNSUPPORTED_MEDIA_TYPE"),
		}
	}
	encoding := strings.ToLower(strings.TrimSpace(strings.Join(r.Header["Content-Encoding"], ",")))
	if encoding != "" && encoding != "identity" {
		return &Error{
			Status: http.StatusUnsupportedMediaType,
			Header: http.Header{"Accept-Encoding": {"identity"}},
			Err:    status.Errorf(status.InvalidArgument, "content encoding %q is not supported on a stream", encoding),
		}
	}
	return nil
}

// next returns the next message, until the one after it is asked for; errEnd after the last, and errTooLarge for one over the limit.
func (u *upload) next() ([]byte, error) {
	if u.x.ctx.Err() != nil {
		return nil, ended(u.x.ctx)
	}
	u.ahead.touch()
	line, err := u.lines.next()
	u.x.info.RequestSize = u.lines.read
	switch {
	case err == nil && isControl(line):
		return nil, errClientFailed
	case err == nil:
		return line, nil
	case errors.Is(err, io.EOF):
		return nil, errEnd
	case errors.Is(err, errTooLarge), status.As(err) != nil:
		return nil, err
	}
	return nil, errGone.WithCause(err)
}

var errClientFailed = status.New(status.Canceled, "the client broke the stream off")

// settle is called when the stream has returned, or was refused, before it is answered.
func (u *upload) settle() {
	u.unhook()
	u.ahead.drop()
	_ = u.control.SetWriteDeadline(time.Now().Add(u.x.config.stream.write))
	if u.x.r.ProtoMajor == 1 && !u.ahead.isDone() {
		u.x.lingers = true
		u.x.w.Header().Set("Connection", "close") // where the next request begins is not known
	}
}

// close ends the reading, when the answer has been written.
func (u *upload) close() {
	u.unhook()
	u.ahead.drop()
	if u.x.r.ProtoMajor == 1 && u.x.outcome.Status != 0 && !u.ahead.isDone() {
		u.linger()
	}
	u.ahead.stop(func() {
		if u.control.SetReadDeadline(time.Unix(1, 0)) != nil {
			_ = u.x.r.Body.Close() // there is no connection below
		}
	})
}

// linger lets a client that is still sending read the answer: a connection that is closed with unread bytes is reset, and what was written
// last is lost.
func (u *upload) linger() {
	if u.control.Flush() != nil {
		return
	}
	timer := time.NewTimer(lingerAfterEnd)
	defer timer.Stop()
	select {
	case <-u.ahead.done:
	case <-timer.C:
	}
}
