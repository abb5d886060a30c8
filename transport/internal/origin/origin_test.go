package origin_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/transport/internal/origin"
)

func TestOnlyWhatBrowsersWriteIsAnOrigin(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for text, want := range map[string]bool{
		"https://shop.example.com": true, "http://localhost": true, "http://localhost:3000": true, "https://shop.example.com:8443": true,
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "https://[2001:db8::1]": true, "capacitor://localhost": true,
		"https://xn--bcher-kva.example": true, "https://a_b.example": true, "https://" + label + ".example": true,

		"": false, "null": false, "*": false, "https://": false, "shop.example.com": false, "//shop.example.com": false,
		"https://shop.example.com/": false, "https://shop.example.com?": false, "https://shop.example.com#": false,
		"HTTPS://shop.example.com": false, "https://Shop.example.com": false, "https://bücher.example": false,
		"https://evil@shop.example.com": false, "https://shop.example.com:443": false, "http://shop.example.com:80": false,
		"https://shop.example.com:": false, "https://shop.example.com:0": false, "https://shop.example.com:08443": false,
		"https://shop.example.com:65536": false, "https://shop.example.com:99999999999": false, "https://shop.example.com:+1": false,
		"https://.example.com": false, "https://shop..example.com": false, "https://shop.example.com.": false, "https://*.example.com": false,
		"https://shop.example.com https://evil.example": false, "https://shop.example.com,https://evil.example": false,
		"https://shop.example.com\x00": false, "https://shop.example.com\r\nX: y": false, " https://shop.example.com": false,
		"http://127.1": false, "http://0x7f000001": false, "http://2130706433": false, "http://127.0.0.01": false, "http://1.2.3.4.5": false,
		"http://[::1": false, "http://[0:0:0:0:0:0:0:1]": false, "http://[::ffff:1.2.3.4]": false, "http://[fe80::1%25eth0]": false, "http://[::1]x": false,
		"http://[::1]:": false, "http://[1.2.3.4]": false, "http://::1": false,
		"file://shop": false, "1a://shop": false, "a b://shop": false, strings.Repeat("a", 65) + "://shop": false,
		"https://" + label + "a.example": false, "https://" + strings.Repeat("a.", 130) + "example": false,
		"https://" + strings.Repeat("a", 100_000): false,
	} {
		if _, have := origin.Parse(text); want != have {
			t.Errorf("%.80q: want %v, have %v", text, want, have)
		}
	}
}

func TestAListHasWhatItSaysAndNothingThatLooksLikeIt(t *testing.T) {
	t.Parallel()
	l, err := origin.NewList("Origins", []string{
		"HTTPS://Shop.Example.COM:443", "http://localhost:3000", "https://*.pages.example", "https://*.ported.example:8443", "http://[::1]",
		"https://shop.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"https://shop.example.com", "http://localhost:3000", "https://*.pages.example", "https://*.ported.example:8443", "http://[::1]",
	}
	if have := l.Patterns(); !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
	for text, want := range map[string]bool{
		"https://shop.example.com": true, "http://localhost:3000": true, "http://[::1]": true,
		"https://a.pages.example": true, "https://a.b.pages.example": true, "https://a.ported.example:8443": true,

		"http://shop.example.com": false, "https://shop.example.com:8443": false, "https://shop.example.com.evil.example": false,
		"https://evil-shop.example.com": false, "https://a.shop.example.com": false, "https://example.com": false,
		"http://localhost": false, "http://localhost:3001": false, "https://localhost:3000": false,
		"https://pages.example": false, "https://evil-pages.example": false, "https://evilpages.example": false, "https://.pages.example": false,
		"https://a.pages.example.evil": false, "http://a.pages.example": false, "https://a.pages.example:8443": false,
		"https://a.ported.example": false, "https://a.ported.example:8444": false, "null": false, "": false, "*": false,
		"https://*.pages.example": false, "https://A.pages.example": false, "https://evil.example/.pages.example": false,
		"https://evil.example#.pages.example": false, "https://evil.example\\.pages.example": false, "https://evil.example@a.pages.example": false,
	} {
		if have := l.Allows(text); want != have {
			t.Errorf("%q: want %v, have %v", text, want, have)
		}
	}
	for _, empty := range []*origin.List{nil, {}} {
		if empty.Allows("https://shop.example.com") || empty.Everyone() || len(empty.Patterns()) > 0 {
			t.Error("want nothing in an empty list")
		}
	}
	if l, err := origin.NewList("Origins", []string{"*"}); err != nil || !l.Allows("null") || !l.Everyone() {
		t.Errorf("want everybody, have %v", err)
	}
}

func TestPatternsThatMeanMoreOrNothingAreRefused(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"", "null", "shop.example.com", "https://shop.example.com/", "https://shop.example.com/path", "https://*", "https://*.", "https://*.com",
		"http://*.example.com", "https://*example.com", "https://shop.*.com", "https://*.*.example.com", "https://shop.example.*", "*.example.com",
		"*://shop.example.com", "https://shop.example.com:*", "https://*.1.2.3.4", "https://*.[::1]", "https://bücher.example", "https://user@shop.example.com",
		"https://shop.example.com, https://b.example", "file:///x", "https://[::1", "https://shop.example.com:443:443", "https://\u212aelvin.example",
		" https://shop.example.com", "**", "https://shop.example.com.",
	} {
		l, err := origin.NewList("Origins", []string{"https://fine.example", pattern})
		if err == nil || !strings.HasPrefix(err.Error(), "Origins(\"") || l != nil {
			t.Errorf("%q: want an error that names the option, have %v", pattern, err)
		}
	}
}

func TestAPageOfTheServerItself(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		host, text string
		tls, want  bool
	}{
		{"shop.example", "https://shop.example", true, true},
		{"shop.example", "http://shop.example", true, false}, // of somebody on the way
		{"shop.example", "https://shop.example", false, true},
		{"shop.example", "http://shop.example", false, true},
		{"Shop.Example:443", "https://shop.example", true, true},
		{"shop.example:80", "http://shop.example", false, true},
		{"shop.example:80", "https://shop.example", false, false},
		{"shop.example:8443", "https://shop.example:8443", true, true},
		{"shop.example:8443", "https://shop.example", true, false},
		{"[::1]:8080", "http://[::1]:8080", false, true},
		{"[::1]", "http://[::1]", false, true},
		{"shop.example", "https://shop.example.evil", true, false},
		{"shop.example", "null", true, false},
		{"shop.example", "", true, false},
		{"", "https://", true, false},
		{"shop.example", "app://shop.example", true, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = row.host
		if row.tls {
			r.TLS = new(tls.ConnectionState)
		}
		if have := origin.Same(r, row.text); row.want != have {
			t.Errorf("%+v: have %v", row, have)
		}
	}
}

func TestOneFieldIsCheckedAndTwoAreRefused(t *testing.T) {
	t.Parallel()
	l, err := origin.NewList("Origins", []string{"https://shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		list *origin.List
		from []string
		want string
	}{
		{l, nil, ""},
		{nil, nil, ""},
		{l, []string{"https://shop.example"}, ""},
		{nil, []string{"http://example.com"}, ""}, // the host of the request
		{l, []string{"https://evil.example"}, `the origin "https://evil.example" is neither`},
		{nil, []string{"https://shop.example"}, "is neither"},
		{l, []string{""}, "is neither"},
		{l, []string{"https://shop.example", "https://shop.example"}, "2 fields"},
		{l, []string{}, ""},
		{l, []string{strings.Repeat("x", 10_000)}, "is neither"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
		r.Header["Origin"] = row.from
		err := row.list.Check(r)
		if (err == nil) != (row.want == "") || err != nil && (!strings.Contains(err.Error(), row.want) || len(err.Error()) > 1000) {
			t.Errorf("%.100q: want %q, have %v", row.from, row.want, err)
		}
	}
}

func TestWhatAsksForAWebSocket(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		major   int
		method  string
		upgrade []string
		want    bool
	}{
		{1, "GET", nil, false},
		{1, "GET", []string{"websocket"}, true},
		{1, "GET", []string{"WebSocket"}, true},
		{1, "GET", []string{"h2c, websocket"}, true},
		{1, "GET", []string{"h2c", " websocket "}, true},
		{1, "GET", []string{"h2c"}, false},
		{2, "GET", []string{"websocket"}, false},
		{2, "CONNECT", nil, true},
	} {
		r := httptest.NewRequest(row.method, "/", nil)
		r.ProtoMajor = row.major
		r.Header["Upgrade"] = row.upgrade
		if row.method == http.MethodConnect {
			r.Header[":protocol"] = []string{"websocket"}
		}
		if have := origin.IsUpgrade(r); row.want != have {
			t.Errorf("%+v: have %v", row, have)
		}
	}
}

// What can be parsed is written in one way only, and a list of it has it and none of its neighbours.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{"https://shop.example.com", "http://[::1]:80", "null", "https://1.2.3.4:5", "a://b", "https://*.x.y", "HTTPS://A.b:443"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := origin.NewList("Origins", []string{text})
		if err != nil || l.Everyone() {
			return
		}
		pattern := l.Patterns()[0]
		if again, err := origin.NewList("Origins", []string{pattern}); err != nil || again.Patterns()[0] != pattern {
			t.Errorf("%q is written as %q, which is no pattern: %v", text, pattern, err)
		}
		wild := strings.HasPrefix(pattern, "https://*.")
		if l.Allows(pattern) == wild || wild != l.Allows(strings.Replace(pattern, "*", "a", 1)) && wild {
			t.Errorf("%q: have %v", pattern, l.Allows(pattern))
		}
		for _, other := range []string{pattern + ".evil", "x" + pattern, pattern + "0:1", "https://evil-" + strings.TrimPrefix(pattern, "https://*.")} {
			if l.Allows(other) {
				t.Errorf("%q has %q", pattern, other)
			}
		}
	})
}
