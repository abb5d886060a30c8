package httptransport_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// net/http sends an X-Api-Key wherever a redirect leads, and a bearer token to another port, or without TLS.
func TestRedirectsStayWithinTheOrigin(t *testing.T) {
	t.Parallel()
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	t.Cleanup(thief.Close)
	var to atomic.Pointer[string]
	honest := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, *to.Load(), http.StatusTemporaryRedirect)
	}))
	t.Cleanup(honest.Close)
	byTLS, ok := honest.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("want an http.Transport")
	}
	own := dialWith(t, honest.URL, httptransport.DialTLS(byTLS.TLSClientConfig))
	given := dialWith(t, honest.URL, httptransport.DialClient(&http.Client{Transport: byTLS}))
	for _, target := range []string{thief.URL, strings.Replace(thief.URL, "127.0.0.1", "localhost", 1), "http://" + honest.Listener.Addr().String()} {
		to.Store(&target)
		for name, conn := range map[string]*httptransport.Conn{"own": own, "given": given} {
			ctx := transport.WithHeader(t.Context(), "X-Api-Key", "secret")
			_, err := newClient[*pair, *total](t, conn, "POST /x")(ctx, &pair{1, 2})
			if err == nil || !strings.Contains(err.Error(), "leads to another origin") || status.CodeOf(err) == status.OK {
				t.Errorf("%s, %s: want it refused, have %v", name, target, err)
			}
		}
	}
	self := "/x"
	to.Store(&self)
	if _, err := newClient[*pair, *total](t, own, "POST /x")(t.Context(), &pair{1, 2}); err == nil || !strings.Contains(err.Error(), "10 redirects") {
		t.Errorf("want an end of it, have %v", err)
	}
	if n := stolen.Load(); n > 0 {
		t.Errorf("the key went elsewhere %d times", n)
	}
}

func dialWith(t *testing.T, url string, opts ...httptransport.DialOption) *httptransport.Conn {
	t.Helper()
	conn, err := httptransport.Dial(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
