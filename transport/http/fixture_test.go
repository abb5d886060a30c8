package httptransport_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

var testSpec = endpoint.Spec{Service: "orders", Method: "Place"}

type pair struct {
	A int `json:"a"`
	B int `json:"b"`
}

type total struct {
	Sum int `json:"sum"`
}

func add(_ context.Context, r *pair) (*total, error) { return &total{r.A + r.B}, nil }

// echo answers with what it was asked.
func echo[T any](_ context.Context, request T) (T, error) { return request, nil }

// failing returns an endpoint that fails with err.
func failing(err error) endpoint.Endpoint[*pair, *total] {
	return func(context.Context, *pair) (*total, error) { return nil, err }
}

// mount puts h behind a pattern of a mux of its own.
func mount(pattern string, h http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle(pattern, h)
	return mux
}

// handler mounts a server of e.
func handler[Req, Resp any](pattern string, e endpoint.Endpoint[Req, Resp], opts ...httptransport.ServerOption) *http.ServeMux {
	return mount(pattern, httptransport.NewServer(testSpec, e, opts...))
}

// start serves h until the test ends. What the server logs is in the text that logged returns.
func start(t testing.TB, h http.Handler) (srv *httptest.Server, logged func() string) {
	t.Helper()
	var text syncText
	srv = httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(&text, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv, text.String
}

// dial returns a Conn to baseURL that is closed when the test ends.
func dial(t testing.TB, baseURL string, opts ...httptransport.DialOption) *httptransport.Conn {
	t.Helper()
	conn, err := httptransport.Dial(baseURL, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// newClient returns a client of the operation at pattern.
func newClient[Req, Resp any](
	t testing.TB, conn *httptransport.Conn, pattern string, opts ...httptransport.ClientOption,
) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	c, err := httptransport.NewClient[Req, Resp](testSpec, conn, pattern, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// remote serves e, and returns a client of it.
func remote[Req, Resp any](t testing.TB, pattern string, e endpoint.Endpoint[Req, Resp]) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	srv, _ := start(t, handler(pattern, e))
	return newClient[Req, Resp](t, dial(t, srv.URL), pattern)
}

// ask sends a request to h without a network. Header lines are "Key: value"; a body gets JSON as its content type unless one is given.
func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := quiet(httptest.NewRequest(method, target, reader))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		key, value, _ := strings.Cut(line, ": ")
		if key == "Content-Type" {
			r.Header.Set(key, value)
		} else {
			r.Header.Add(key, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// quiet returns r as of a server that logs nothing.
func quiet(r *http.Request) *http.Request {
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0)}
	return r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, srv))
}

// problem reads problem details.
func problem(t testing.TB, w *httptest.ResponseRecorder) *status.Error {
	t.Helper()
	if have := w.Header().Get("Content-Type"); have != status.ProblemType {
		t.Fatalf("content type: want %q, have %q (status %d, body %q)", status.ProblemType, have, w.Code, w.Body)
	}
	var e status.Error
	if err := e.UnmarshalJSON(w.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	return &e
}

// violations returns the violations as "field: description".
func violations(e *status.Error) []string {
	texts := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		texts[i] = v.Error()
	}
	return texts
}

// syncText is text that several goroutines write.
type syncText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *syncText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *syncText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// jsonAnd sets JSON and further codecs.
func jsonAnd(codecs ...codec.Codec) httptransport.ServerOption {
	return httptransport.ServerCodecs(append([]codec.Codec{json.New()}, codecs...)...)
}

// askChunked sends a body without telling its length or type.
func askChunked(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, struct{ io.Reader }{strings.NewReader(body)})
	r.ContentLength = -1
	r.TransferEncoding = []string{"chunked"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantPanic checks that f panics with a text that has want in it.
func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if have := fmt.Sprint(recover()); !strings.Contains(have, want) {
			t.Errorf("want a panic with %q, have %q", want, have)
		}
	}()
	f()
}

// mountAny mounts a server of e for every method, with two codecs.
func mountAny[Req, Resp any](e endpoint.Endpoint[Req, Resp]) *http.ServeMux {
	return handler("/x", e, jsonAnd(lineCodec{}))
}

// roundTripper is a http.RoundTripper.
type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
