package httptransport_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

type byID struct {
	ID string   `json:"-" path:"id"`
	Q  []string `json:"-" query:"q"`
}

type byRest struct {
	Rest string `json:"-" path:"rest"`
}

func TestPathValuesSurviveEscaping(t *testing.T) {
	t.Parallel()
	var seen string
	c := remote(t, "GET /orders/{id}/größe", func(_ context.Context, r *byID) (string, error) { seen = r.ID; return r.ID, nil })
	for _, want := range []string{
		"a", "a/b", "//", "a//b", "50%", "%2F", "a b", "a+b", "?", "#", "a;b", "ü", "日本", "...", ".a", "&=", "{id}", "\x00", "\n", "a%00",
	} {
		if have, err := c(t.Context(), &byID{ID: want}); err != nil || have != want || seen != want {
			t.Errorf("want %q, have %q, %v", want, have, err)
		}
	}
}

func TestPathValuesThatWouldLeaveTheRoute(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was called", r.Method, r.URL) })
	srv, _ := start(t, mux)
	conn := dial(t, srv.URL)
	single := newClient[byID, string](t, conn, "DELETE /tenants/{id}/data")
	for _, id := range []string{"", ".", ".."} {
		_, err := single(t.Context(), byID{ID: id})
		if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%q: want an error that was not sent, have %v", id, err)
		}
	}
	rest := newClient[byRest, string](t, conn, "DELETE /files/{rest...}")
	for _, path := range []string{"", "..", "a/../../b", "a/./b", "./a", "a//b", "/a", "a/.."} {
		if _, err := rest(t.Context(), byRest{path}); !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%q: want an error that was not sent, have %v", path, err)
		}
	}
}

func TestRestOfThePath(t *testing.T) {
	t.Parallel()
	c := remote(t, "GET /files/{rest...}", func(_ context.Context, r byRest) (string, error) { return r.Rest, nil })
	for _, want := range []string{"a", "a/b/c", "a/b/", "a b/c%2Fd", "ü/?", "..a/b.."} {
		if have, err := c(t.Context(), byRest{want}); err != nil || have != want {
			t.Errorf("want %q, have %q, %v", want, have, err)
		}
	}
}

func TestQueryValuesSurviveEscaping(t *testing.T) {
	t.Parallel()
	c := remote(t, "GET /orders/{id}", func(_ context.Context, r *byID) ([]string, error) { return r.Q, nil })
	want := []string{"", " ", "a&b=c", "+", "%", "ü", ";", "#?/", "\x00\n"}
	have, err := c(t.Context(), &byID{ID: "1", Q: want})
	if err != nil || strings.Join(want, "|") != strings.Join(have, "|") || len(want) != len(have) {
		t.Errorf("want %q, have %q, %v", want, have, err)
	}
}

func TestBaseURLAndRouteAreJoined(t *testing.T) {
	t.Parallel()
	var seen string
	srv, _ := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Host + " " + r.Method + " " + r.RequestURI }))
	host := strings.TrimPrefix(srv.URL, "http://")
	for _, tt := range []struct{ base, pattern, want string }{
		{"", "GET /x", "GET /x"},
		{"/", "GET /x", "GET /x"},
		{"", "GET /", "GET /"},
		{"/api", "GET /", "GET /api/"},
		{"/api", "POST /x/", "POST /api/x/"},
		{"/api/", "POST /x/{$}", "POST /api/x/"},
		{"/api", "GET /{$}", "GET /api/"},
		{"/a%2Fb/c%20d", "PURGE \t /x", "PURGE /a%2Fb/c%20d/x"},
		{"/a", "GET /x y/%41?", "GET /a/x%20y/A%3F"},
		{"/a", "GET /größe", "GET /a/gr%C3%B6%C3%9Fe"},
	} {
		c := newClient[struct{}, struct{}](t, dial(t, srv.URL+tt.base), tt.pattern)
		if _, err := c(t.Context(), struct{}{}); err != nil || seen != host+" "+tt.want {
			t.Errorf("%s + %s: want %q, have %q, %v", tt.base, tt.pattern, tt.want, seen, err)
		}
	}
	c := newClient[byID, struct{}](t, dial(t, srv.URL+"/v%2F1"), "GET /größe/{id}")
	if _, err := c(t.Context(), byID{ID: "a/b", Q: []string{"1"}}); err != nil || seen != host+" GET /v%2F1/gr%C3%B6%C3%9Fe/a%2Fb?q=1" {
		t.Errorf("have %q, %v", seen, err)
	}
}

func TestRoutesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	conn := dial(t, "http://localhost")
	for _, tt := range []struct{ pattern, want string }{
		{"", "want a method and a path"},
		{"/x/{id}", "want a method and a path"},
		{"GET", "want a method and a path"},
		{"GET x/{id}", "want a method and a path"},
		{"GET example.com/{id}", "want a method and a path"},
		{"G(T /{id}", "invalid method"},
		{"GET /x", "has a field for {id}, which the route does not have"},
		{"GET /{id}/{other}", "has no field for {other} of the route"},
		{"GET /{id}/{id}", "has no field for {id} of the route"},
		{"GET /{id", "a wildcard is a whole segment"},
		{"GET /a{id}", "a wildcard is a whole segment"},
		{"GET /{id}a", "a wildcard is a whole segment"},
		{"GET /{}", "wildcard {} is wrong"},
		{"GET /{id...}/x", "is wrong"},
		{"GET /{$}/{id}", "{$}"},
		{"GET /%zz/{id}", "invalid URL escape"},
	} {
		_, err := httptransport.NewClient[byID, string](testSpec, conn, tt.pattern)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "orders/Place") {
			t.Errorf("%q: want %q, have %v", tt.pattern, tt.want, err)
		}
	}
	if _, err := httptransport.NewClient[byID, string](testSpec, nil, "GET /{id}"); err == nil {
		t.Error("a nil Conn: want an error")
	}
}

// FuzzRoute checks that a client reaches the server that is mounted with the same pattern, with the same value.
func FuzzRoute(f *testing.F) {
	for _, pattern := range []string{"GET /{id}", "GET /a/{id}/b", "GET /%41/{id}", "GET /{id}/{$}", "GET /ü {/{id}", "GET /./{id}", "GET //{id}"} {
		f.Add(pattern, "a/b")
	}
	f.Fuzz(func(t *testing.T, pattern, id string) {
		h, err := tryMount(pattern)
		if err != nil {
			t.Skip()
		}
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(r.Method, r.URL.RequestURI(), r.Body))
			return w.Result(), nil
		}), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		c, err := httptransport.NewClient[byID, string](testSpec, dial(t, "http://h", httptransport.DialClient(client)), pattern)
		if err != nil {
			return
		}
		have, err := c(t.Context(), byID{ID: id})
		if errors.Is(err, transport.ErrNotSent) {
			return
		}
		if err == nil && have != id {
			t.Errorf("%q: want %q, have %q", pattern, id, have)
		}
	})
}

// tryMount mounts a server that answers with the ID, unless the mux cannot.
func tryMount(pattern string) (h http.Handler, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("no pattern")
		}
	}()
	return handler(pattern, func(_ context.Context, r byID) (string, error) { return r.ID, nil }), nil
}
