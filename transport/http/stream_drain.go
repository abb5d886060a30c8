package httptransport

import (
	"errors"
	"io"
	"net/http"
)

// drainBody reads what is left of the body of r, up to limit bytes.
func drainBody(r *http.Request, limit int64) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	_, err := io.CopyN(io.Discard, r.Body, limit+1)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, http.ErrBodyReadAfterClose):
		return nil
	case err == nil:
		return tooLarge(limit)
	}
	return readError(r, err, limit)
}
