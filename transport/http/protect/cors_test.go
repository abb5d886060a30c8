package protect_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/transport/http/protect"
)

// preflight asks by h whether a page may do this.
func preflight(method, fields string) []string {
	lines := []string{"Access-Control-Request-Method: " + method}
	if fields != "" {
		lines = append(lines, "Access-Control-Request-Headers: "+fields)
	}
	return lines
}

func TestOnlyThePagesThatAreNamedReadAnswers(t *testing.T) {
	t.Parallel()
	h := newCORS(t, protect.CORSOrigins("HTTPS://Shop.example.com:443", "https://*.pages.example"), protect.CORSOrigins("http://localhost:3000"),
		protect.CORSMethods("PUT")).Wrap(http.HandlerFunc(served))
	for from, want := range map[string]bool{
		shop: true, "https://a.pages.example": true, "https://a.b.pages.example": true, "http://localhost:3000": true,

		evil: false, "null": false, "": false, "http://shop.example.com": false, "https://shop.example.com:8443": false,
		"https://shop.example.com.evil": false, "https://evil-shop.example.com": false, "https://sub.shop.example.com": false,
		"https://pages.example": false, "https://evil-pages.example": false, "https://evilpages.example": false, "https://a.pages.example.evil": false,
		"http://a.pages.example": false, "http://localhost": false, "http://localhost:30000": false, "https://shop.example.com/": false,
		"https://SHOP.example.com": false, "https://shop.example.com " + evil: false, "https://x@shop.example.com": false, "*": false,
		"http://example.com": false, // that of the request itself, which needs no permission
	} {
		w := ask(h, http.MethodGet, "/", "Origin: "+from)
		allowed := w.Header().Get("Access-Control-Allow-Origin") == from && len(corsFields(w)) == 1
		if allowed != want || !want && len(corsFields(w)) > 0 || w.Body.String() != "served" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q: want %v, have %d %v", from, want, w.Code, w.Header())
		}
		w = ask(h, http.MethodOptions, "/", append(preflight("PUT", ""), "Origin: "+from)...)
		allowed = w.Code == http.StatusNoContent && w.Header().Get("Access-Control-Allow-Origin") == from && w.Header().Get("Access-Control-Allow-Methods") == "PUT"
		if allowed != want || !want && (w.Code != http.StatusForbidden || len(corsFields(w)) > 0) || w.Header().Get("Vary") != "Origin" || w.Body.Len() > 0 {
			t.Errorf("preflight of %q: want %v, have %d %v", from, want, w.Code, w.Header())
		}
	}
	if w := ask(h, http.MethodGet, "/"); len(corsFields(w)) > 0 || w.Header().Get("Vary") != "Origin" || w.Body.String() != "served" {
		t.Errorf("a program: have %v", w.Header())
	}
}

func TestAPreflightIsAnsweredForWhatIsAllowedAlone(t *testing.T) {
	t.Parallel()
	h := newCORS(t, protect.CORSOrigins(shop), protect.CORSMethods("PUT", "DELETE"), protect.CORSRequestHeaders("Authorization"),
		protect.CORSRequestHeaders("content-type"), protect.CORSResponseHeaders("X-Total"), protect.CORSMaxAge(10*time.Minute)).
		Wrap(http.HandlerFunc(served))
	long := "a," + strings.Repeat(",", 100_000)
	for _, row := range []struct {
		method, fields string
		want           bool
	}{
		{"PUT", "", true}, {"DELETE", "authorization,content-type", true}, {"GET", "authorization", true}, {"POST", "content-type", true},
		{"PATCH", "", false}, {"put", "", false}, {"PUT", "x-other", false}, {"PUT", "authorization,x-other", false}, {"PUT", "Authorization", false},
		{"PUT", "*", false}, {"*", "", false}, {"", "", false}, {"PUT", long, false}, {"PUT\x00", "", false},
	} {
		w := ask(h, http.MethodOptions, "/", append(preflight(row.method, row.fields), "Origin: "+shop, "Access-Control-Request-Private-Network: true")...)
		have := w.Code == http.StatusNoContent
		if have != row.want || !have && (w.Code != http.StatusForbidden || len(corsFields(w)) > 0) {
			t.Errorf("%s %.40s: want %v, have %d %v", row.method, row.fields, row.want, w.Code, w.Header())
		}
		if want := "600"; have && w.Header().Get("Access-Control-Max-Age") != want {
			t.Errorf("%s: want %s seconds, have %v", row.method, want, w.Header())
		}
		if slices.Contains(corsFields(w), "Allow-Private-Network") || slices.Contains(corsFields(w), "Allow-Credentials") {
			t.Errorf("%s: want nothing that was not allowed, have %v", row.method, w.Header())
		}
	}
	for name, lines := range map[string][]string{
		"no origin":             preflight("PUT", ""),
		"no method asked for":   {"Origin: " + shop},
		"headers alone":         {"Origin: " + shop, "Access-Control-Request-Headers: authorization"},
		"an OPTIONS for itself": nil,
	} {
		if w := ask(h, http.MethodOptions, "/", lines...); w.Body.String() != "served" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: want the handler's answer, have %d %v", name, w.Code, w.Header())
		}
	}
	if w := ask(h, http.MethodPut, "/", append(preflight("PUT", ""), "Origin: "+shop)...); w.Body.String() != "served" ||
		!slices.Equal(corsFields(w), []string{"Allow-Origin", "Expose-Headers"}) || w.Header().Get("Access-Control-Expose-Headers") != "x-total" {
		t.Errorf("the request itself: have %d %v", w.Code, w.Header())
	}
	off := newCORS(t, protect.CORSOrigins(shop), protect.CORSMethods("PUT"), protect.CORSMaxAge(0)).Wrap(http.HandlerFunc(served))
	if w := ask(off, http.MethodOptions, "/", append(preflight("PUT", ""), "Origin: "+shop)...); w.Header().Get("Access-Control-Max-Age") != "0" {
		t.Errorf("want nothing remembered, have %v", w.Header())
	}
}

func TestCookiesGoWithWhomTheyAreAllowedAlone(t *testing.T) {
	t.Parallel()
	h := newCORS(t, protect.CORSOrigins(shop), protect.CORSCredentials()).Wrap(http.HandlerFunc(served))
	if w := ask(h, http.MethodGet, "/", "Origin: "+shop); w.Header().Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("have %v", w.Header())
	}
	if w := ask(h, http.MethodGet, "/", "Origin: "+evil); len(corsFields(w)) > 0 {
		t.Errorf("have %v", w.Header())
	}
	all := newCORS(t, protect.CORSOrigins("*"), protect.CORSRequestHeaders("Content-Type")).Wrap(http.HandlerFunc(served))
	for _, from := range []string{evil, "null"} {
		w := ask(all, http.MethodGet, "/", "Origin: "+from)
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || len(corsFields(w)) != 1 || w.Header().Get("Vary") != "" {
			t.Errorf("everybody: have %v", w.Header())
		}
	}
}

func TestRefusalsAreToldAndComeWithTheirReason(t *testing.T) {
	t.Parallel()
	var told []string
	hook := func(r *http.Request, reason error) { told = append(told, r.Method+": "+reason.Error()) }
	h := newCORS(t, protect.CORSOrigins(shop), protect.CORSRefuse(), protect.CORSOnRefusal(hook)).Wrap(http.HandlerFunc(served))
	for _, lines := range [][]string{nil, {"Origin: " + shop}, {"Origin: http://example.com"}} {
		if w := ask(h, http.MethodPost, "http://example.com/", lines...); w.Body.String() != "served" {
			t.Errorf("%q: want it served, have %d", lines, w.Code)
		}
	}
	for _, from := range []string{evil, "null", "", "https://example.com:1", shop + ".evil"} {
		w := ask(h, http.MethodPost, "http://example.com/", "Origin: "+from)
		wantRefused(t, from, w, http.StatusForbidden, protect.ReasonOrigin)
		if len(corsFields(w)) > 0 || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q: have %v", from, w.Header())
		}
	}
	wantRefused(t, "preflight", ask(h, http.MethodOptions, "/", append(preflight("PUT", ""), "Origin: "+evil)...), http.StatusForbidden, protect.ReasonOrigin)
	wantRefused(t, "two", ask(h, http.MethodGet, "/", "Origin: "+shop, "Origin: "+shop), http.StatusBadRequest, protect.ReasonOrigin)
	const want = 7
	if len(told) != want || told[0] != `POST: the origin "https://evil.example" is neither that of the host "example.com" nor in the list` ||
		told[6] != "GET: the request has 2 fields Origin" {
		t.Errorf("want %d refusals told, have %q", want, told)
	}
	lax := newCORS(t, protect.CORSOrigins("*")).Wrap(http.HandlerFunc(served))
	wantRefused(t, "two for everybody", ask(lax, http.MethodGet, "/", "Origin: "+shop, "Origin: "+evil), http.StatusBadRequest, protect.ReasonOrigin)
}

func TestMistakesInCORSNameTheOption(t *testing.T) {
	t.Parallel()
	of := func(opts ...protect.CORSOption) error { _, err := protect.NewCORS(opts...); return err }
	with := func(opts ...protect.CORSOption) error { return of(append(opts, protect.CORSOrigins(shop))...) }
	mistakes(t, map[string]error{
		"without CORSOrigins":                  of(),
		"CORSOrigins of no origin":             of(protect.CORSOrigins()),
		`CORSOrigins("null")`:                  of(protect.CORSOrigins(shop, "null")),
		`CORSOrigins("https://*.com")`:         of(protect.CORSOrigins("https://*.com")),
		`CORSOrigins: cors: for sec`:           with(protect.CORSOrigins("http://plain.example"), protect.CORSCredentials()),
		`"https://*.co.uk"`:                    with(protect.CORSOrigins("https://*.co.uk"), protect.CORSCredentials()),
		`CORSOrigins: cors: prohibited`:        of(protect.CORSOrigins("https://-a.example")),
		`CORSCredentials with CORSOrigins("*`:  of(protect.CORSCredentials(), protect.CORSOrigins("*")),
		`CORSRefuse with CORSOrigins("*`:       of(protect.CORSRefuse(), protect.CORSOrigins("*")),
		`CORSOrigins("*") beside`:              with(protect.CORSOrigins("*")),
		"CORSMethods of nothing":               with(protect.CORSMethods()),
		`CORSMethods("*")`:                     with(protect.CORSMethods("*")),
		`CORSMethods: cors: invalid method "`:  with(protect.CORSMethods("A B")),
		`CORSMethods: cors: forbidden`:         with(protect.CORSMethods("TRACE")),
		"CORSRequestHeaders of nothing":        with(protect.CORSRequestHeaders()),
		`CORSRequestHeaders("*")`:              with(protect.CORSRequestHeaders("X-A", "*")),
		`CORSRequestHeaders: cors: invalid`:    with(protect.CORSRequestHeaders("a b")),
		`CORSRequestHeaders: cors: forbidden`:  with(protect.CORSRequestHeaders("Cookie")),
		"CORSResponseHeaders of nothing":       with(protect.CORSResponseHeaders()),
		`CORSResponseHeaders("*")`:             with(protect.CORSResponseHeaders("*")),
		`CORSResponseHeaders: cors: forbidden`: with(protect.CORSResponseHeaders("Set-Cookie")),
		"CORSMaxAge(-1s)":                      with(protect.CORSMaxAge(-time.Second)),
		"CORSMaxAge(24h0m1s)":                  with(protect.CORSMaxAge(24*time.Hour + time.Second)),
		"CORSMaxAge(1.5s)":                     with(protect.CORSMaxAge(1500 * time.Millisecond)),
		"CORSOnRefusal":                        with(protect.CORSOnRefusal(nil)),
		"function 0 is nil":                    of(nil),
	})
	err := with(protect.CORSMethods("A B"), protect.CORSRequestHeaders("Cookie"))
	if text := err.Error(); !strings.Contains(text, "CORSMethods: ") || !strings.Contains(text, "CORSRequestHeaders: ") || errors.Unwrap(err) == nil {
		t.Errorf("want both, have %v", err)
	}
}
