package protect_test

import (
	"net/http"
	"testing"

	"github.com/jub0bs/cors"

	"github.com/ashlar-go/ashlar/transport/http/protect"
)

// sink is a writer that forgets.
type sink struct {
	header http.Header
	code   int
}

func newSink() *sink { return &sink{header: http.Header{}} }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(code int)        { s.code = code }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// request returns one of header lines "Key: value".
func request(method string, header http.Header) *http.Request {
	r, _ := http.NewRequest(method, "http://own.example/count", nil)
	if header != nil {
		r.Header = header
	}
	return r
}

// contestants are the handlers that are measured: what they cost is what they take more than "plain".
func contestants(t testing.TB) []struct {
	name string
	most float64 // allocations more than plain's
	h    http.Handler
	r    *http.Request
} {
	t.Helper()
	plain := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	page := http.Header{"Origin": {shop}, "Sec-Fetch-Site": {"same-origin"}}
	ask := http.Header{"Origin": {shop}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"authorization,content-type"}}
	library, err := cors.NewMiddleware(cors.Config{
		Origins: []string{shop}, Methods: []string{"PUT"}, RequestHeaders: []string{"Authorization", "Content-Type"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ours := newCORS(t, protect.CORSOrigins(shop), protect.CORSMethods("PUT"), protect.CORSRequestHeaders("Authorization", "Content-Type"))
	strict := newCORS(t, protect.CORSOrigins(shop), protect.CORSRefuse())
	headers, csrf := newHeaders(t), newCSRF(t)
	return []struct {
		name string
		most float64
		h    http.Handler
		r    *http.Request
	}{
		{"plain", 0, plain, request("POST", nil)},
		{"headers", 1, headers.Wrap(plain), request("POST", nil)},
		{"csrf", 0, csrf.Wrap(plain), request("POST", page)},
		{"cors/none", 1, ours.Wrap(plain), request("POST", nil)},
		{"cors/none/library", 1, library.Wrap(plain), request("POST", nil)},
		{"cors/page", 1, ours.Wrap(plain), request("POST", page)},
		{"cors/page/library", 1, library.Wrap(plain), request("POST", page)},
		{"cors/stranger", 1, ours.Wrap(plain), request("POST", http.Header{"Origin": {evil}})},
		{"cors/stranger/library", 1, library.Wrap(plain), request("POST", http.Header{"Origin": {evil}})},
		{"cors/refuse", 1, strict.Wrap(plain), request("POST", page)},
		{"cors/preflight", 1, ours.Wrap(plain), request("OPTIONS", ask)},
		{"cors/preflight/library", 0, library.Wrap(plain), request("OPTIONS", ask)},
		{"all", 2, headers.Wrap(ours.Wrap(csrf.Wrap(plain))), request("POST", page)},
	}
}

//nolint:paralleltest // allocations are counted for the whole process
func TestProtectionKeepsItsBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, c := range contestants(t) {
		w := newSink()
		have := testing.AllocsPerRun(200, func() {
			clear(w.header)
			c.h.ServeHTTP(w, c.r)
		})
		if have > c.most {
			t.Errorf("%s: want at most %v allocations, have %v", c.name, c.most, have)
		} else {
			t.Logf("%s: %v allocations", c.name, have)
		}
	}
}

func BenchmarkWrap(b *testing.B) {
	for _, c := range contestants(b) {
		b.Run(c.name, func(b *testing.B) {
			w := newSink()
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.h.ServeHTTP(w, c.r)
			}
		})
	}
}

// The header of an answer grows by its fields, which a writer that is used again does not show.
func BenchmarkFreshHeader(b *testing.B) {
	for _, c := range contestants(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := sink{header: http.Header{"Content-Type": {"application/json"}}}
				c.h.ServeHTTP(&w, c.r)
			}
		})
	}
}
