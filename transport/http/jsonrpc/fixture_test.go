package jsonrpc_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// difference is the request of the specification's subtract.
type difference struct {
	Minuend    int `json:"minuend"`
	Subtrahend int `json:"subtrahend"`
}

func subtract(_ context.Context, r difference) (int, error) { return r.Minuend - r.Subtrahend, nil }

func sum(_ context.Context, numbers []int) (total int, _ error) {
	for _, n := range numbers {
		total += n
	}
	return total, nil
}

// echo answers with what it was asked.
func echo[T any](_ context.Context, request T) (T, error) { return request, nil }

func named(name string) endpoint.Spec { return endpoint.Spec{Method: name} }

// set serves the methods of the tests, and those given.
func set(servers ...*jsonrpc.Server) []*jsonrpc.Server {
	return append([]*jsonrpc.Server{jsonrpc.NewServer(named("subtract"), subtract), jsonrpc.NewServer(named("sum"), sum)}, servers...)
}

// failing returns a server of the method "fail".
func failing(err error, opts ...jsonrpc.ServerOption) *jsonrpc.Server {
	return jsonrpc.NewServer(named("fail"), func(context.Context, any) (int, error) { return 0, err }, opts...)
}

// post sends a document to h without a network. Header lines are "Key: value".
func post(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	r := quiet(httptest.NewRequest(http.MethodPost, "/rpc", strings.NewReader(body)))
	r.Header.Set("Content-Type", "application/json")
	for _, line := range header {
		key, value, _ := strings.Cut(line, ": ")
		r.Header.Set(key, value)
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

// call returns the document that calls a method.
func call(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":%s,"id":1}`, method, params)
}

// start serves h until the test ends. What the server logs is in the text that logged returns.
func start(t testing.TB, h http.Handler) (conn *httptransport.Conn, logged func() string) {
	t.Helper()
	var text syncText
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(&text, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return dial(t, srv.URL), text.String
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

// newClient returns a client of a method.
func newClient[Req, Resp any](t testing.TB, conn *httptransport.Conn, method string, opts ...jsonrpc.ClientOption) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	c, err := jsonrpc.NewClient[Req, Resp](named(method), conn, "/rpc", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering returns a Conn to a server that always answers the same.
func answering(t testing.TB, code int, contentType, body string) *httptransport.Conn {
	t.Helper()
	return dial(t, "http://h", httptransport.DialClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: code, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	})}))
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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

// trail is what happened, in order.
type trail struct {
	mu    sync.Mutex
	texts []string
}

func (tr *trail) add(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.texts = append(tr.texts, fmt.Sprintf(format, args...))
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

// wantStatus checks the code and the message of err.
func wantStatus(t *testing.T, what string, err error, code status.Code, message string) {
	t.Helper()
	if e := status.As(err); e == nil || e.Code != code || !strings.Contains(e.Message, message) {
		t.Errorf("%s: want %v with %q, have %v", what, code, message, err)
	}
}

func readCloser(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

func newBatcher(t testing.TB, conn *httptransport.Conn, opts ...httptransport.ClientOption) *jsonrpc.Batcher {
	t.Helper()
	b, err := jsonrpc.NewBatcher(endpoint.Spec{Service: "test", Method: "Batch"}, conn, "/rpc", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newMethod[Req, Resp any](t testing.TB, name string, opts ...jsonrpc.ClientOption) *jsonrpc.Method[Req, Resp] {
	t.Helper()
	m, err := jsonrpc.NewMethod[Req, Resp](named(name), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
