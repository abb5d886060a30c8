package codec_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
)

func TestNegotiate(t *testing.T) {
	t.Parallel()
	const jsonType, xmlType, textType, htmlType, cborType = "application/json", "application/xml", "text/plain", "text/html", "application/cbor"
	for name, tt := range map[string]struct {
		accept []string
		offers []string
		want   string // "" for none
	}{
		"no header":                    {nil, []string{jsonType, xmlType}, jsonType},
		"an empty header":              {[]string{""}, []string{jsonType, xmlType}, jsonType},
		"anything":                     {[]string{"*/*"}, []string{jsonType, xmlType}, jsonType},
		"the first":                    {[]string{jsonType}, []string{jsonType, xmlType}, jsonType},
		"the second":                   {[]string{xmlType}, []string{jsonType, xmlType}, xmlType},
		"upper case":                   {[]string{"APPLICATION/XML"}, []string{jsonType, xmlType}, xmlType},
		"neither":                      {[]string{"image/png"}, []string{jsonType, xmlType}, ""},
		"a list: the server's order":   {[]string{"application/xml, application/json"}, []string{jsonType, xmlType}, jsonType},
		"two headers are one list":     {[]string{"image/png", xmlType}, []string{jsonType, xmlType}, xmlType},
		"weights":                      {[]string{"application/json;q=0.5, application/xml;q=0.8"}, []string{jsonType, xmlType}, xmlType},
		"without a weight it is 1":     {[]string{"application/json;q=0.9, application/xml"}, []string{jsonType, xmlType}, xmlType},
		"three digits":                 {[]string{"application/json;q=0.998, application/xml;q=0.999"}, []string{jsonType, xmlType}, xmlType},
		"Q in upper case, with spaces": {[]string{"application/json ; Q = 0.1 , application/xml ; q=0.2"}, []string{jsonType, xmlType}, xmlType},
		"weight 0 excludes":            {[]string{"application/json;q=0, */*"}, []string{jsonType, xmlType}, xmlType},
		"weight 0 excludes, after":     {[]string{"*/*, application/json;q=0"}, []string{jsonType, xmlType}, xmlType},
		"weight 0.000 excludes":        {[]string{"application/json;q=0.000"}, []string{jsonType}, ""},
		"everything excluded":          {[]string{"*/*;q=0"}, []string{jsonType, xmlType}, ""},
		"all but one excluded":         {[]string{"*/*;q=0, application/xml;q=0.1"}, []string{jsonType, xmlType}, xmlType},
		"a kind excluded":              {[]string{"text/*;q=0, */*;q=0.1"}, []string{textType, jsonType}, jsonType},
		"one of a kind":                {[]string{"text/*"}, []string{jsonType, textType}, textType},
		"the kind of another":          {[]string{"tex/*"}, []string{textType}, ""},
		"*/subtype means nothing":      {[]string{"*/json"}, []string{jsonType}, ""},
		"more specific, lower weight":  {[]string{"application/*, application/json;q=0.1"}, []string{jsonType, cborType}, cborType},
		"more specific, higher weight": {[]string{"application/*;q=0.1, application/xml;q=0.2"}, []string{jsonType, xmlType}, xmlType},
		"a browser":                    {[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, []string{jsonType, xmlType}, xmlType},
		"parameters are ignored":       {[]string{"application/json;version=1"}, []string{xmlType, jsonType}, jsonType},
		"but the plain one decides":    {[]string{"text/html;level=1, text/html;q=0.2, text/plain;q=0.5"}, []string{htmlType, textType}, textType},
		"a comma in quotes":            {[]string{`application/json;x="a,b;q=1\",";q=0.2, application/xml;q=0.3`}, []string{jsonType, xmlType}, xmlType},
		"RFC 9110, 12.5.1, first":      {[]string{"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"}, []string{textType, "text/x-dvi", "text/x-c"}, "text/x-c"},
		"RFC 9110, 12.5.1, table": {
			[]string{"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"},
			[]string{htmlType, "image/jpeg", textType}, textType,
		},
		"a malformed weight":          {[]string{"application/json;q=high, application/xml"}, []string{jsonType, xmlType}, xmlType},
		"a weight above 1":            {[]string{"application/json;q=7, application/xml;q=0.1"}, []string{jsonType, xmlType}, xmlType},
		"a negative weight":           {[]string{"application/xml;q=-1, application/json;q=0.1"}, []string{xmlType, jsonType}, jsonType},
		"not a number":                {[]string{"application/xml;q=NaN, application/json;q=0.1"}, []string{xmlType, jsonType}, jsonType},
		"the least weight":            {[]string{"application/json;q=0.0004"}, []string{jsonType}, jsonType},
		"many digits":                 {[]string{"application/json;q=0.00041, application/xml;q=0.00042"}, []string{jsonType, xmlType}, xmlType},
		"twice, the higher weight":    {[]string{"text/html;q=0.2, text/html;q=0.8, text/plain;q=0.5"}, []string{textType, htmlType}, htmlType},
		"twice, the higher first":     {[]string{"text/html;q=0.8, text/html;q=0.2, text/plain;q=0.5"}, []string{textType, htmlType}, htmlType},
		"twice, excluded once":        {[]string{"text/html, text/html;q=0"}, []string{htmlType}, htmlType},
		"a suffix":                    {[]string{"application/vnd.shop+json"}, []string{xmlType, jsonType}, jsonType},
		"a suffix in upper case":      {[]string{"Application/Vnd.Shop+JSON;v=2"}, []string{xmlType, jsonType}, jsonType},
		"a suffix and anything":       {[]string{"application/vnd.shop+json, */*;q=0.1"}, []string{xmlType, jsonType}, jsonType},
		"anything and a suffix":       {[]string{"*/*;q=0.1, application/vnd.shop+json"}, []string{xmlType, jsonType}, jsonType},
		"a suffix excluded":           {[]string{"application/vnd.shop+json;q=0, */*"}, []string{jsonType, xmlType}, jsonType},
		"a suffix, but not the type":  {[]string{"application/vnd.shop+json, application/json;q=0"}, []string{jsonType}, ""},
		"the suffix of another":       {[]string{"image/svg+xml"}, []string{jsonType}, ""},
		"a star":                      {[]string{"*"}, []string{jsonType, xmlType}, jsonType},
		"a star among others":         {[]string{"text/html, *; q=.2, */*; q=.2"}, []string{jsonType, xmlType}, jsonType},
		"empty elements alone":        {[]string{",, "}, []string{jsonType, xmlType}, jsonType},
		"several empty headers":       {[]string{"", ""}, []string{jsonType, xmlType}, jsonType},
		"nothing understood":          {[]string{"application/json;q=high"}, []string{jsonType, xmlType}, jsonType},
		"one understood":              {[]string{"json, text/html"}, []string{jsonType}, ""},
		"empty elements":              {[]string{", ,application/xml,,"}, []string{jsonType, xmlType}, xmlType},
		"no type at all":              {[]string{"json"}, []string{xmlType, jsonType}, xmlType},
		"no offers":                   {nil, nil, ""},
		"no offers, and a preference": {[]string{jsonType}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, err := codec.Negotiate(tt.accept, tt.offers)
			have := ""
			if err == nil {
				have = tt.offers[i]
			} else if i >= 0 {
				t.Errorf("want a negative index with an error, have %d", i)
			}
			if want := tt.want; have != want {
				t.Errorf("want %q, have %q (%v)", want, have, err)
			}
		})
	}
}

func TestNothingAcceptableNamesWhatIsOffered(t *testing.T) {
	t.Parallel()
	_, contentType, err := set(t, "application/json|application/x-json", "application/xml").Accept("image/png", "text/*;q=0.5")
	e, ok := errors.AsType[*codec.NotAcceptableError](err)
	if !ok || contentType != "" {
		t.Fatalf("want a *codec.NotAcceptableError, have %T %v", err, err)
	}
	const want = `nothing acceptable in "image/png, text/*;q=0.5"; offered: application/json, application/xml`
	if have := e.Error(); have != want {
		t.Errorf("\nwant %s\nhave %s", want, have)
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{
		"", "*/*", "a/b;q=0,*/*", "text/*;q=0.3, text/plain;q=0.7;x=\"a,b\"", "a/b;q=1;q=0", ";q=0", "a/*;q=0", "\"", "a/b;\\",
	} {
		f.Add(s, "application/json")
	}
	offers := []string{"a/b", "a/c", "text/plain", "application/json"}
	f.Fuzz(func(t *testing.T, first, second string) {
		accept := []string{first, second}
		i, err := codec.Negotiate(accept, offers)
		if (err == nil) != (i >= 0 && i < len(offers)) {
			t.Fatalf("%q: have %d, %v", accept, i, err)
		}
		if refused, ok := errors.AsType[*codec.NotAcceptableError](err); err != nil && (!ok || len(refused.Offer) != len(offers)) {
			t.Fatalf("%q: have %+v", accept, err)
		}
		// What is excluded by name, and not by anything else in the list, is never chosen.
		for j, offer := range offers {
			if i, _ := codec.Negotiate([]string{offer + ";q=0", "*/*", strings.NewReplacer("/", "", `"`, "").Replace(first)}, offers); i == j {
				t.Fatalf("%q: %s was excluded and chosen", first, offer)
			}
		}
		// What alone has the highest weight by name is always chosen.
		for j, offer := range offers {
			if i, err := codec.Negotiate([]string{offer, "*/*;q=0.5"}, offers); i != j {
				t.Fatalf("want %s, have %d, %v", offer, i, err)
			}
		}
		if i, err := codec.Negotiate(nil, offers); i != 0 || err != nil {
			t.Fatalf("without a header: have %d, %v", i, err)
		}
		slices.Reverse(accept)
		if k, _ := codec.Negotiate(accept, offers); k != i {
			t.Fatalf("%q: the order of the headers matters: %d, %d", accept, i, k)
		}
	})
}
