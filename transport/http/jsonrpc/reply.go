package jsonrpc

import (
	"net/http"

	"github.com/ashlar-go/ashlar/internal/buffer"
)

// reply is the answer to a document. It is encoded when the calls are: here it is put together.
type reply struct {
	batch   bool
	answers []*buffer.Buffer // in the order of the calls; without those of notifications
	header  http.Header
}

// StatusCode implements httptransport.StatusCoder: without an answer there is no body.
func (r *reply) StatusCode() int {
	if len(r.answers) == 0 {
		return http.StatusNoContent
	}
	return http.StatusOK
}

// Header implements httptransport.Headerer.
func (r *reply) Header() http.Header { return r.header }

func (r *reply) append(dst []byte) ([]byte, error) { //nolint:unparam // it is an appender
	if r.batch {
		dst = append(dst, '[')
	}
	for i, answer := range r.answers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, answer.B...)
		answer.Free()
	}
	r.answers = nil
	if r.batch {
		dst = append(dst, ']')
	}
	return dst, nil
}

// appendResult begins an answer whose result follows.
func appendResult(dst []byte) []byte { return append(dst, `{"jsonrpc":"2.0","result":`...) }

// appendError begins an answer with an error.
func appendError(dst []byte, f failure) []byte {
	return f.append(append(dst, `{"jsonrpc":"2.0","error":`...))
}

// appendID ends an answer.
func appendID(dst, id []byte) []byte {
	dst = append(dst, `,"id":`...)
	if id == nil {
		dst = append(dst, "null"...)
	}
	return append(append(dst, id...), '}')
}
