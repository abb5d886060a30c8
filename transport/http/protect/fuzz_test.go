package protect_test

import (
	"net/http"
	"testing"

	"github.com/ashlar-go/ashlar/transport/http/protect"
)

// The rule for WebSockets and refusals, which is Ashlar's, and that for reading answers, which is the library's, are one.
func FuzzTheRulesAgree(f *testing.F) {
	for _, seed := range [][2]string{
		{shop, shop}, {"https://*.example.com", "https://a.b.example.com"}, {"https://*.example.com", "https://example.com"},
		{"http://localhost:3000", "http://localhost:3000"}, {"http://[::1]:80", "http://[::1]"}, {"https://1.2.3.4:5", "https://1.2.3.4:5"},
		{shop, shop + ":443"}, {shop, "null"}, {"app://shop", "app://shop"}, {"https://*.example.com", "https://.example.com"},
		{"https://*.example.com", "https://a_b.example.com"}, {"https://*.example.com", "https://a..example.com"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, from string) {
		cors, err := protect.NewCORS(protect.CORSOrigins(pattern), protect.CORSRefuse())
		if err != nil || from == "" {
			return
		}
		allowed := false
		h := cors.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			allowed = w.Header().Get("Access-Control-Allow-Origin") == from
		}))
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Origin"] = []string{from}
		r.Host = "own.invalid"
		w := newSink()
		h.ServeHTTP(w, r)
		if served := w.code == 0; served != allowed {
			t.Errorf("%q by %q: served %v, and to be read %v", from, pattern, served, allowed)
		}
		lax, err := protect.NewCORS(protect.CORSOrigins(pattern))
		if err != nil {
			t.Fatal(err)
		}
		w = newSink()
		lax.Wrap(http.HandlerFunc(served)).ServeHTTP(w, r)
		if fields := w.header["Access-Control-Allow-Origin"]; (len(fields) == 1) != allowed {
			t.Errorf("%q by %q: to be read %v, and %q", from, pattern, allowed, fields)
		}
	})
}
