package oauth2auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
	"github.com/ashlar-go/ashlar/transport"
)

// all are the claims as they are.
type all = map[string]any

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func call(values ...string) *transport.Info {
	return &transport.Info{Request: transport.HeaderMap{"Authorization": values}}
}

// roundTrip is a server that no network is between.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering returns a server that answers all requests with the same JSON.
func answering(text string) roundTrip {
	return func(*http.Request) (*http.Response, error) { return answer(text), nil }
}

func answer(text string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: -1,
	}
}

// by is the option for a server that no network is between.
func by(server http.RoundTripper) oauth2auth.HTTPOption {
	return oauth2auth.HTTPClient(&http.Client{Transport: server})
}

// serve starts a server of HTTP that ends with the test.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // only who has read the body is told that the client has gone
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// writeJSON answers with a JSON that may be none.
func writeJSON(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text)
}

// introspector returns one that ends with the test.
func introspector(t testing.TB, url string, opts ...oauth2auth.IntrospectorOption) *oauth2auth.Introspector[all] {
	t.Helper()
	opts = append([]oauth2auth.IntrospectorOption{oauth2auth.Audience("orders")}, opts...)
	i := must(oauth2auth.NewIntrospector[all](url, oauth2auth.ClientBasic("orders", "top-secret"), opts...))(t)
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// provider returns one that ends with the test.
func provider(t testing.TB, issuer string, opts ...oauth2auth.ProviderOption) *oauth2auth.Provider {
	t.Helper()
	p := must(oauth2auth.NewProvider(issuer, opts...))(t)
	t.Cleanup(func() { _ = p.Close() })
	return p
}
