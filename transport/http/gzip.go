package httptransport

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
)

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// readEncoded reads a body that has a Content-Encoding. The limit holds for its compressed bytes as well, since these may
// unpack to nothing for ever.
func readEncoded(buf *buffer.Buffer, r *http.Request, encoding []string, limit int64) error {
	switch name := strings.ToLower(strings.TrimSpace(strings.Join(encoding, ","))); name {
	case "", "identity":
		var err error
		buf.B, err = readAll(buf.B, r.Body, r.ContentLength, limit)
		return err
	case "gzip", "x-gzip":
		raw := &io.LimitedReader{R: r.Body, N: limit + 1}
		z, _ := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(z)
		err := z.Reset(raw)
		if err == nil {
			buf.B, err = readAll(buf.B, z, -1, limit)
		}
		if raw.N <= 0 {
			return errTooLarge
		}
		return err
	default:
		return &Error{
			Status: http.StatusUnsupportedMediaType,
			Header: http.Header{"Accept-Encoding": {"gzip, identity"}}, // RFC 9110, section 12.5.3
			Err:    status.Errorf(status.InvalidArgument, "content encoding %q is not supported; supported: gzip, identity", name),
		}
	}
}
