package protect_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/protect"
)

const (
	shop = "https://shop.example.com"
	evil = "https://evil.example"
)

// served answers 200 and "served".
func served(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("served")) }

// wrapper is what the three have in common.
type wrapper interface {
	Wrap(next http.Handler) http.Handler
}

// must returns m, or ends the test.
func must[M wrapper](m M, err error) func(t testing.TB) M {
	return func(t testing.TB) M {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

// ask sends a request of header lines "Key: value" to h.
func ask(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for _, line := range header {
		key, value, _ := strings.Cut(line, ": ")
		r.Header.Add(key, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantRefused checks that w has problem details with a reason, and nothing that the caller need not know.
func wantRefused(t *testing.T, name string, w *httptest.ResponseRecorder, code int, reason string) {
	t.Helper()
	var e status.Error
	if err := e.UnmarshalJSON(w.Body.Bytes()); err != nil {
		t.Errorf("%s: want problem details, have %d %q", name, w.Code, w.Body)
		return
	}
	if w.Code != code || e.Reason != reason || w.Header().Get("Content-Type") != status.ProblemType {
		t.Errorf("%s: want %d %s, have %d %v", name, code, reason, w.Code, &e)
	}
	for _, secret := range []string{"example", "Origin ", "Sec-Fetch", "goroutine", "protect:"} {
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: it tells too much: %s", name, w.Body)
		}
	}
}

// corsFields returns the names of the fields of CORS in an answer.
func corsFields(w *httptest.ResponseRecorder) (names []string) {
	for name := range w.Header() {
		if name, is := strings.CutPrefix(name, "Access-Control-"); is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// mistakes checks that each constructor fails with an error that has the text.
func mistakes(t *testing.T, all map[string]error) {
	t.Helper()
	for want, err := range all {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "protect: New") {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func newCORS(t testing.TB, opts ...protect.CORSOption) *protect.CORS {
	t.Helper()
	return must(protect.NewCORS(opts...))(t)
}

func newCSRF(t testing.TB, opts ...protect.CSRFOption) *protect.CSRF {
	t.Helper()
	return must(protect.NewCSRF(opts...))(t)
}

func newHeaders(t testing.TB, opts ...protect.HeadersOption) *protect.Headers {
	t.Helper()
	return must(protect.NewHeaders(opts...))(t)
}

type total struct {
	Sum int `json:"sum"`
}

// one answers 1.
var one = httptransport.NewServer(endpoint.Spec{Service: "orders", Method: "Count"},
	func(context.Context, struct{}) (*total, error) { return &total{1}, nil })
