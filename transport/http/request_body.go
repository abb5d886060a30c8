package httptransport

import (
	"bytes"
	"io"
	"net/http"
)

// setBody makes data the body of r, which can be sent again for redirects and retries. It is not pooled: net/http may go on reading it a
// while after the response has come. The bytes.Reader is what net/http knows to be in memory, and writes together with the
// header.
func setBody(r *http.Request, data []byte) {
	if len(data) == 0 {
		r.Body = http.NoBody
		return
	}
	r.ContentLength = int64(len(data))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	r.Body, _ = r.GetBody()
}
