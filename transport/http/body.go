package httptransport

import (
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
)

// firstRead is how much room a body gets before its bytes arrive, whatever length was announced, so that slow connections hold
// little memory.
const firstRead = 4 << 10

var errTooLarge = errors.New("the body is larger than the limit")

// readAll appends what r yields to buf until its end. It fails with errTooLarge once there are more than limit bytes, and never
// holds more than limit and one.
func readAll(buf []byte, r io.Reader, announced, limit int64) ([]byte, error) {
	want := int(min(max(announced, 0), limit, firstRead)) + 1
	for {
		if cap(buf)-len(buf) < want {
			double := min(2*int64(cap(buf)), max(limit, announced)+1)
			grown := make([]byte, len(buf), max(len(buf)+want, int(double)))
			copy(grown, buf)
			buf = grown
		}
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errTooLarge
		case err == io.EOF: // a Reader returns io.EOF itself
			return buf, nil
		case err != nil:
			return buf, err
		}
		want = 1
	}
}

// readRequest reads the body of r, decompressed, into buf. Its errors are for the caller.
func readRequest(buf *buffer.Buffer, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	var err error
	if encoding := r.Header["Content-Encoding"]; len(encoding) > 0 {
		err = readEncoded(buf, r, encoding, limit)
	} else {
		buf.B, err = readAll(buf.B, r.Body, r.ContentLength, limit)
	}
	if err == nil {
		return nil
	}
	return readError(r, err, limit)
}

// readError is what the caller is told of an error that came of reading its body.
func readError(r *http.Request, err error, limit int64) error {
	switch {
	case status.As(err) != nil:
		return err
	case errors.Is(err, errTooLarge):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Status: http.StatusRequestTimeout,
			Err: status.New(status.DeadlineExceeded, "the request's body did not arrive in time").WithCause(err)}
	case r.Context().Err() != nil:
		return status.New(status.Canceled, "the client went away while its request was read").WithCause(err)
	}
	return status.New(status.InvalidArgument, "the request's body could not be read").WithCause(err)
}

// reasonTooLarge is the reason of what is over a limit, on both sides.
const reasonTooLarge = "BODY_TOO_LARGE"

func tooLarge(limit int64) error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Err: status.Errorf(status.ResourceExhausted,
		"the request's body is larger than %d bytes", limit).WithReason(reasonTooLarge)}
}

// limitedBody is the body that a decoder of the user's reads.
type limitedBody struct {
	io.ReadCloser

	read, limit int64
	tooLarge    func(limit int64) error
	err         error // that it is too large; it stays so
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if room := b.limit - b.read + 1; int64(len(p)) > room {
		p = p[:room]
	}
	n, err := b.ReadCloser.Read(p)
	if b.read+int64(n) > b.limit {
		b.err = b.tooLarge(b.limit)
		return 0, b.err
	}
	b.read += int64(n)
	return n, err
}
