package protect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/transport/http/protect"
)

// All that browsers say of where a request comes from, with what becomes of it by each method.
func TestWhatPagesOfOtherSitesDoIsRefused(t *testing.T) {
	t.Parallel()
	h := newCSRF(t, protect.CSRFTrust("HTTPS://Shop.example.com:443"), protect.CSRFInsecureBypass("POST /hooks/{name}", "/feed")).
		Wrap(http.HandlerFunc(served))
	for _, row := range []struct {
		site, from, target string
		want               bool // for methods with an effect
	}{
		{"", "", "/", true}, // a program
		{"same-origin", "", "/", true},
		{"same-origin", "http://own.example", "/", true},
		{"none", "", "/", true}, // the reader typed it in
		{"same-site", "https://other.own.example", "/", false},
		{"cross-site", evil, "/", false},
		{"cross-site", "null", "/", false},
		{"cross-site", "", "/", false},
		{"cross-site", "http://own.example", "/", false},
		{"SAME-ORIGIN", "", "/", false},
		{"same-origin, cross-site", "", "/", false},
		{"nonsense", "", "/", false},
		{"", "http://own.example", "/", true}, // of an old browser
		{"", "https://own.example", "/", true},
		{"", "http://own.example:8080", "/", false},
		{"", evil, "/", false},
		{"", "null", "/", false},
		{"", "http://own.example.evil", "/", false},
		{"", "http://own.example@evil.example", "/", false},
		{"cross-site", shop, "/", true},
		{"", shop, "/", true},
		{"cross-site", "https://shop.example.com:8443", "/", false},
		{"cross-site", "http://shop.example.com", "/", false},
		{"cross-site", shop + ".evil", "/", false},
		{"cross-site", evil, "/hooks/a", true},
		{"cross-site", evil, "/hooks/a/b", false},
		{"cross-site", evil, "/hooks/../other", false},
		{"cross-site", evil, "//hooks/a", false}, // http.ServeMux sends it elsewhere
		{"cross-site", evil, "/feed", true},
		{"cross-site", evil, "/feed/", false},
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "ANYTHING"} {
			var lines []string
			if row.site != "" {
				lines = append(lines, "Sec-Fetch-Site: "+row.site)
			}
			if row.from != "" {
				lines = append(lines, "Origin: "+row.from)
			}
			want := row.want
			switch {
			case method == "GET" || method == "HEAD" || method == "OPTIONS":
				want = true
			case strings.HasPrefix(row.target, "/hooks/a") && method != "POST":
				want = false
			}
			w := ask(h, method, "http://own.example"+row.target, lines...)
			if have := w.Body.String() == "served"; have != want {
				t.Errorf("%s %+v: want %v, have %d", method, row, want, w.Code)
			} else if !want {
				wantRefused(t, method, w, http.StatusForbidden, protect.ReasonCrossSite)
			}
		}
	}
}

func TestARequestThatSaysTwiceWhereItComesFromIsRefused(t *testing.T) {
	t.Parallel()
	var told []error
	h := newCSRF(t, protect.CSRFTrust(shop), protect.CSRFOnRefusal(func(_ *http.Request, reason error) { told = append(told, reason) })).
		Wrap(http.HandlerFunc(served))
	for _, lines := range [][]string{
		{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"},
		{"Sec-Fetch-Site: cross-site", "Origin: " + shop, "Origin: " + evil},
	} {
		wantRefused(t, lines[0], ask(h, http.MethodPost, "/", lines...), http.StatusForbidden, protect.ReasonCrossSite)
	}
	wantRefused(t, "once", ask(h, http.MethodPost, "/", "Sec-Fetch-Site: cross-site"), http.StatusForbidden, protect.ReasonCrossSite)
	const want = 3
	if len(told) != want || !strings.Contains(told[0].Error(), "more than once") || !strings.Contains(told[2].Error(), "cross-origin") {
		t.Errorf("want %d reasons, have %q", want, told)
	}
}

func TestMistakesInCSRFNameTheOption(t *testing.T) {
	t.Parallel()
	of := func(opts ...protect.CSRFOption) error { _, err := protect.NewCSRF(opts...); return err }
	mistakes(t, map[string]error{
		"CSRFTrust of no origin":                  of(protect.CSRFTrust()),
		`CSRFTrust("shop.example")`:               of(protect.CSRFTrust(shop, "shop.example")),
		`CSRFTrust("null")`:                       of(protect.CSRFTrust("null")),
		`CSRFTrust("*"): want one`:                of(protect.CSRFTrust("*")),
		`CSRFTrust("https://*.shop.example"): w`:  of(protect.CSRFTrust("https://*.shop.example")),
		"CSRFInsecureBypass of no":                of(protect.CSRFInsecureBypass()),
		`CSRFInsecureBypass("{"): it is no`:       of(protect.CSRFInsecureBypass("/fine", "{")),
		`CSRFInsecureBypass("POST /{b}/x"): it i`: of(protect.CSRFInsecureBypass("POST /x/{a}"), protect.CSRFInsecureBypass("POST /{b}/x")),
		`CSRFInsecureBypass("")`:                  of(protect.CSRFInsecureBypass("")),
		"CSRFOnRefusal":                           of(protect.CSRFOnRefusal(nil)),
		"function 0 is nil":                       of(nil),
	})
}
