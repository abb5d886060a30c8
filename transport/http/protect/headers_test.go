package protect_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/protect"
)

const hsts = "Strict-Transport-Security"

// defaults are the documented ones.
func defaults(over string) map[string]string {
	all := map[string]string{
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
	}
	if over == "TLS" {
		all[hsts] = "max-age=31536000"
	}
	return all
}

// over serves a request that came over TLS, or not.
func over(h http.Handler, secure bool) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = nil
	if secure {
		r.TLS = new(tls.ConnectionState)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// fields returns the header as one value each.
func fields(header http.Header) map[string]string {
	all := make(map[string]string, len(header))
	for name, values := range header {
		all[name] = strings.Join(values, "|")
	}
	return all
}

func TestTheDefaultsAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	h := newHeaders(t).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		if want, have := defaults(name), fields(over(h, secure).Header()); !maps.Equal(want, have) {
			t.Errorf("%s: want %v, have %v", name, want, have)
		}
	}
}

func TestWhatTheHandlerSetsOrRemovesCounts(t *testing.T) {
	t.Parallel()
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Del("Cross-Origin-Resource-Policy")
		w.Header().Add("Content-Security-Policy", "sandbox")
		w.Header()["Referrer-Policy"][0] = "origin" // of this answer alone
		w.Header().Set(hsts, "max-age=0")
	})
	h := newHeaders(t).Wrap(inner)
	for range 2 {
		want := defaults("TLS")
		want["Cache-Control"] = "max-age=60"
		want["Content-Security-Policy"] += "|sandbox"
		want["Referrer-Policy"] = "origin"
		want[hsts] = "max-age=0"
		delete(want, "Cross-Origin-Resource-Policy")
		if have := fields(over(h, true).Header()); !maps.Equal(want, have) {
			t.Errorf("want %v, have %v", want, have)
		}
	}
	untouched := newHeaders(t)
	over(untouched.Wrap(inner), true)
	if want, have := defaults("TLS"), fields(over(untouched.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), true).Header()); !maps.Equal(want, have) {
		t.Errorf("what one handler did shows in another's answer: want %v, have %v", want, have)
	}
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header()[hsts] = nil
		newHeaders(t).Wrap(http.HandlerFunc(served)).ServeHTTP(w, r)
	})
	if w := over(outer, true); w.Header().Get("Referrer-Policy") != "same-origin" || w.Header().Get(hsts) != "" {
		t.Errorf("what was there before: have %v", w.Header())
	}
}

func TestEveryFieldCanBeSetAndLeftOut(t *testing.T) {
	t.Parallel()
	names := slices.Collect(maps.Keys(defaults("TLS")))
	bare := newHeaders(t, protect.HeadersWithout(names...)).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if have := over(bare, true).Header(); len(have) > 0 {
		t.Errorf("want nothing, have %v", have)
	}
	for name := range defaults("plain") {
		h := newHeaders(t, protect.HeadersSet(strings.ToLower(name), "other")).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		want := defaults("plain")
		want[name] = "other"
		if have := fields(over(h, false).Header()); !maps.Equal(want, have) {
			t.Errorf("%s: want %v, have %v", name, want, have)
		}
		h = newHeaders(t, protect.HeadersWithout(strings.ToUpper(name))).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		delete(want, name)
		if have := fields(over(h, false).Header()); !maps.Equal(want, have) {
			t.Errorf("without %s: want %v, have %v", name, want, have)
		}
	}
	h := newHeaders(t, protect.HeadersSet("Permissions-Policy", "camera=()"), protect.HeadersHSTS(48*time.Hour, true)).Wrap(http.HandlerFunc(served))
	w := over(h, true)
	if w.Header().Get("Permissions-Policy") != "camera=()" || w.Header().Get(hsts) != "max-age=172800; includeSubDomains" {
		t.Errorf("have %v", w.Header())
	}
	if w := over(newHeaders(t, protect.HeadersHSTS(0, false)).Wrap(h), true); w.Header().Get(hsts) != "max-age=0" {
		t.Errorf("want HSTS forgotten, have %v", w.Header())
	}
}

func TestErrorsAndAnswersOfEndpointsHaveTheFields(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("GET /count", one)
	mux.HandleFunc("GET /missing", func(w http.ResponseWriter, _ *http.Request) {
		httptransport.WriteError(w, status.New(status.NotFound, "not here"))
	})
	mux.HandleFunc("GET /panic", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60") // of an answer that does not come
		httptransport.WriteError(w, status.New(status.Internal, "broken"))
	})
	h := newHeaders(t).Wrap(newCORS(t, protect.CORSOrigins(shop), protect.CORSRefuse()).Wrap(newCSRF(t).Wrap(mux)))
	srv := httptest.NewTLSServer(h)
	defer srv.Close()
	for target, want := range map[string]int{"/count": 200, "/missing": 404, "/panic": 500, "/unrouted": 404} {
		response, err := srv.Client().Get(srv.URL + target)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: want %d, have %d", target, want, response.StatusCode)
		}
		for name, value := range defaults("TLS") {
			if have := response.Header.Get(name); have != value && (target != "/panic" && target != "/unrouted" || name != "Cache-Control") {
				t.Errorf("%s: %s: want %q, have %q", target, name, value, have)
			}
		}
		for _, name := range []string{"Server", "X-Powered-By", "Via", "X-Aspnet-Version", "Access-Control-Allow-Origin"} {
			if _, is := response.Header[name]; is {
				t.Errorf("%s: it tells %s", target, name)
			}
		}
	}
	w := ask(h, http.MethodPost, "/count", "Origin: "+evil)
	wantRefused(t, "CORS", w, http.StatusForbidden, protect.ReasonOrigin)
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") == "" {
		t.Errorf("a refusal: have %v", w.Header())
	}
	w = ask(h, http.MethodPost, "/count", "Sec-Fetch-Site: cross-site")
	wantRefused(t, "CSRF", w, http.StatusForbidden, protect.ReasonCrossSite)
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Vary") != "Origin" {
		t.Errorf("a refusal: have %v", w.Header())
	}
}

func TestMistakesInHeadersNameTheOption(t *testing.T) {
	t.Parallel()
	of := func(opts ...protect.HeadersOption) error { _, err := protect.NewHeaders(opts...); return err }
	all := map[string]error{
		`HeadersSet(""): "" is no name`:                  of(protect.HeadersSet("", "x")),
		`HeadersSet("a b")`:                              of(protect.HeadersSet("a b", "x")),
		`HeadersSet("X-A"): want a value`:                of(protect.HeadersSet("X-A", "")),
		`HeadersSet("X-B"): want a value`:                of(protect.HeadersSet("X-B", " x")),
		`HeadersSet("X-C"): the header field X-C has a`:  of(protect.HeadersSet("X-C", "x\r\nSet-Cookie: a=b")),
		`HeadersSet("X-D"): another`:                     of(protect.HeadersSet("x-d", "x"), protect.HeadersSet("X-D", "y")),
		`HeadersSet("Referrer-Policy"): another`:         of(protect.HeadersWithout("Referrer-Policy"), protect.HeadersSet("Referrer-Policy", "x")),
		`HeadersWithout("Referrer-Policy"): another`:     of(protect.HeadersSet("Referrer-Policy", "x"), protect.HeadersWithout("Referrer-Policy")),
		`HeadersWithout("Cache-Control"): another`:       of(protect.HeadersWithout("Cache-Control", "Cache-Control")),
		`HeadersWithout("X-Other"): it is none`:          of(protect.HeadersWithout("X-Other")),
		"HeadersWithout of no field":                     of(protect.HeadersWithout()),
		`HeadersSet("Strict-Transport-Security"): Heade`: of(protect.HeadersSet(hsts, "max-age=1")),
		"HeadersHSTS: another":                           of(protect.HeadersWithout(hsts), protect.HeadersHSTS(time.Hour, false)),
		"HeadersHSTS(-1s)":                               of(protect.HeadersHSTS(-time.Second, false)),
		"HeadersHSTS(1.5s)":                              of(protect.HeadersHSTS(1500*time.Millisecond, false)),
		"HeadersHSTS(876":                                of(protect.HeadersHSTS(87_600*time.Hour, false)),
		"function 0 is nil":                              of(nil),
	}
	for _, name := range []string{
		"Server", "X-Powered-By", "content-length", "Transfer-Encoding", "Connection", "Content-Type", "Set-Cookie", "Vary",
		"Access-Control-Allow-Origin", "Sec-WebSocket-Accept", "Upgrade", "Date", "WWW-Authenticate",
	} {
		all[`HeadersSet("`+name+`"): it is no field for all`] = of(protect.HeadersSet(name, "x"))
	}
	mistakes(t, all)
}
