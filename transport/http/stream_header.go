package httptransport

import (
	"iter"
	"net/http"
	"slices"
	"sync"

	"github.com/ashlar-go/ashlar/transport"
)

// streamHeader is the header of a stream's response. The stream may set it while the time comes at which it is sent.
type streamHeader struct {
	mu sync.Mutex
	h  http.Header
}

var _ transport.Header = (*streamHeader)(nil)

func (s *streamHeader) Get(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return transport.HeaderMap(s.h).Get(key)
}

func (s *streamHeader) Values(key string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return transport.HeaderMap(s.h).Values(key)
}

func (s *streamHeader) Set(key string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	transport.HeaderMap(s.h).Set(key, values...)
}

func (s *streamHeader) All() iter.Seq2[string, []string] { return transport.HeaderMap(s.clone()).All() }

func (s *streamHeader) clone() http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.h.Clone()
}

// merge makes the changes that turn before into after.
func (s *streamHeader) merge(before, after http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range before {
		if _, kept := after[key]; !kept {
			delete(s.h, key)
		}
	}
	for key, values := range after {
		if !slices.Equal(before[key], values) {
			s.h[key] = values
		}
	}
}

// hookWriter is what a hook of ServerAfter sees: a header of its own.
type hookWriter struct {
	http.ResponseWriter

	header http.Header
}

func (w *hookWriter) Header() http.Header { return w.header }

// Unwrap is for http.ResponseController.
func (w *hookWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
