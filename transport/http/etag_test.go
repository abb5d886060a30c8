package httptransport_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, etag  string
		ifNoneMatch []string
		want        int
	}{
		{"none", `"a"`, nil, 200},
		{"the same", `"a"`, []string{`"a"`}, 304},
		{"another", `"a"`, []string{`"b"`}, 200},
		{"weak on one side", `"a"`, []string{`W/"a"`}, 304},
		{"weak on the other", `W/"a"`, []string{`"a"`}, 304},
		{"weak on both", `W/"a"`, []string{`W/"a"`}, 304},
		{"in a list", `"c"`, []string{`"a", W/"b" ,"c"`}, 304},
		{"in the second line", `"c"`, []string{`"a"`, `"c"`}, 304},
		{"not in a list", `"d"`, []string{`"a", "b", "c"`}, 200},
		{"comma in the quotes", `"a,b"`, []string{`"x", "a,b"`}, 304},
		{"half of one with a comma", `"b"`, []string{`"a,b"`}, 200},
		{"between two", `", "`, []string{`"a", "b"`}, 200},
		{"any", `"a"`, []string{"*"}, 304},
		{"any, with space", `"a"`, []string{" * "}, 304},
		{"a star in quotes", `"a"`, []string{`"*"`}, 200},
		{"case counts", `"a"`, []string{`"A"`}, 200},
		{"empty", `""`, []string{`""`}, 304},
		{"open quote", `"a"`, []string{`"a`}, 200},
		{"no quotes", `"a"`, []string{`a`}, 200},
		{"any, without a tag to match", "", []string{"*"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Cache-Control": {"max-age=60"}}
			if tt.etag != "" {
				header.Set("ETag", tt.etag)
			}
			h := mountAny(replying(&reply{Text: "x", code: 200, header: header}))
			lines := make([]string, len(tt.ifNoneMatch))
			for i, value := range tt.ifNoneMatch {
				lines[i] = "If-None-Match: " + value
			}
			for _, method := range []string{"GET", "HEAD"} {
				w := ask(h, method, "/x", "", lines...)
				if w.Code != tt.want {
					t.Errorf("%s: want %d, have %d", method, tt.want, w.Code)
				}
				if w.Header().Get("ETag") != tt.etag || w.Header().Get("Cache-Control") == "" || !slices.Equal(w.Header()["Vary"], []string{"Accept"}) {
					t.Errorf("%s: want the same header as with 200, have %v", method, w.Header()) // RFC 9110, section 15.4.5
				}
				if w.Code == 304 && w.Body.Len() > 0 {
					t.Errorf("%s: have a body with 304: %s", method, w.Body)
				}
			}
			if w := ask(h, "POST", "/x", "", lines...); w.Code != 200 {
				t.Errorf("POST: want 200, have %d", w.Code)
			}
		})
	}
}

func TestOnlyA200CanBeNotModified(t *testing.T) {
	t.Parallel()
	h := mountAny(replying(&reply{code: 404, header: http.Header{"Etag": {`"a"`}}}))
	if w := ask(h, "GET", "/x", "", `If-None-Match: "a"`); w.Code != 404 {
		t.Errorf("want 404, have %d", w.Code)
	}
}

func FuzzETagList(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b,c"`, `"`, `*`, `""`, `,,"a`, "\"\x00\""} {
		f.Add(seed, "x")
	}
	f.Fuzz(func(t *testing.T, list, name string) {
		if strings.ContainsAny(name, `"*`) {
			t.Skip()
		}
		etag := `"` + name + `"`
		h := mountAny(replying(&reply{code: 200, header: http.Header{"Etag": {etag}}}))
		have := ask(h, "GET", "/x", "", "If-None-Match: "+list).Code
		if have == 304 && strings.TrimSpace(list) != "*" && !strings.Contains(list, etag) {
			t.Errorf("%q matched %q", etag, list)
		}
		if !strings.Contains(list, `"`) {
			if w := ask(h, "GET", "/x", "", `If-None-Match: "x`+name+`", W/`+etag+","+list); w.Code != 304 {
				t.Errorf("%q was not found before %q", etag, list)
			}
		}
	})
}
