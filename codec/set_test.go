package codec_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
)

// named is a codec that is nothing but its content types.
type named struct{ types []string }

func (n named) ContentTypes() []string                 { return n.types }
func (named) Append(dst []byte, _ any) ([]byte, error) { return dst, nil }
func (named) Decode([]byte, any) error                 { return nil }

// set returns a set with a codec for each of types, in which | separates the names of one.
func set(tb testing.TB, types ...string) *codec.Set {
	tb.Helper()
	var codecs []codec.Codec
	for _, t := range types {
		codecs = append(codecs, named{strings.Split(t, "|")})
	}
	s, err := codec.NewSet(codecs...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func typeOf(c codec.Codec) string {
	if c == nil {
		return ""
	}
	return c.ContentTypes()[0]
}

func TestNewSetRefuses(t *testing.T) {
	t.Parallel()
	jsonCodec := named{[]string{"application/json"}}
	for want, codecs := range map[string][]codec.Codec{
		"at least one codec":                                      nil,
		"codec 1 of the set is nil":                               {jsonCodec, nil},
		"codec 0 of the set has no content type":                  {named{}},
		`codec 1 of the set: "application/json" is claimed twice`: {jsonCodec, named{[]string{"text/json", "application/json"}}},
		`"Application/XML" is not a plain`:                        {named{[]string{"Application/XML"}}},
		`"application/xml; charset=utf-8" is not a plain`:         {named{[]string{"application/xml; charset=utf-8"}}},
		`"xml" is not a plain`:                                    {named{[]string{"xml"}}},
		`"" is not a plain`:                                       {named{[]string{""}}},
	} {
		if _, err := codec.NewSet(codecs...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
}

func TestTheFirstCodecIsTheDefault(t *testing.T) {
	t.Parallel()
	s := set(t, "application/json", "application/xml|text/xml")
	if want, have := "application/json", typeOf(s.Default()); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
	want := []string{"application/json", "application/xml", "text/xml"}
	if have := s.Types(); !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
	s.Types()[0] = "changed"
	if have := s.Types(); !slices.Equal(want, have) {
		t.Errorf("the caller's change shows: want %q, have %q", want, have)
	}
}

func TestForType(t *testing.T) {
	t.Parallel()
	s := set(t, "application/json", "application/xml|text/xml", "application/vnd.shop+json")
	for contentType, want := range map[string]string{
		"application/json":                     "application/json",
		"Application/JSON":                     "application/json",
		" application/json ":                   "application/json",
		"application/json; charset=utf-8":      "application/json",
		"application/json;charset=UTF-8":       "application/json",
		`application/json; charset="utf-8"`:    "application/json",
		"application/json; charset=us-ascii":   "application/json",
		"application/json; version=1":          "application/json",
		"text/xml":                             "application/xml",
		"text/xml; charset=utf-8":              "application/xml",
		"application/vnd.other+json":           "application/json",
		"application/vnd.other.v2+JSON; v=2":   "application/json",
		"application/vnd.shop+json":            "application/vnd.shop+json",
		"application/problem+xml":              "application/xml",
		"":                                     "",
		"application/json; charset=iso-8859-1": "",
		"application/json; charset=utf-16":     "",
		"application/cbor":                     "",
		"application/vnd.shop+cbor":            "",
		"json":                                 "",
		"+json":                                "",
		"application/":                         "",
		"application/json;":                    "application/json",
		"application/json; charset":            "",
		"application/json, application/xml":    "",
		"application/json; a=1; a=2":           "",
		"*/*":                                  "",
	} {
		c, err := s.ForType(contentType)
		if have := typeOf(c); want != have || (want == "") != (err != nil) {
			t.Errorf("%q: want %q, have %q, %v", contentType, want, have, err)
		}
	}
}

func TestAnUnsupportedTypeNamesWhatIsSupported(t *testing.T) {
	t.Parallel()
	_, err := set(t, "application/json", "application/xml|text/xml").ForType("text/html; charset=utf-8")
	e, ok := errors.AsType[*codec.UnsupportedTypeError](err)
	if !ok {
		t.Fatalf("want a *codec.UnsupportedTypeError, have %T %v", err, err)
	}
	const want = `content type "text/html; charset=utf-8" is not supported; supported: application/json, application/xml, text/xml`
	if have := e.Error(); have != want {
		t.Errorf("\nwant %s\nhave %s", want, have)
	}
}

func TestAcceptNamesTheTypeThatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := set(t, "application/json", "application/xml|text/xml")
	for accept, want := range map[string][2]string{
		"":                       {"application/json", "application/json"},
		"text/xml":               {"application/xml", "text/xml"},
		"text/*":                 {"application/xml", "text/xml"},
		"application/xml;q=0.1":  {"application/xml", "application/xml"},
		"application/*, */*;q=0": {"application/json", "application/json"},
	} {
		c, contentType, err := s.Accept(accept)
		if have := [2]string{typeOf(c), contentType}; want != have || err != nil {
			t.Errorf("%q: want %q, have %q, %v", accept, want, have, err)
		}
	}
}

func TestUsualHeadersCostNoAllocation(t *testing.T) {
	s := set(t, "application/json", "application/xml")
	for name, do := range map[string]func() error{
		"ForType":                 func() error { _, err := s.ForType("application/json"); return err },
		"ForType with a charset":  func() error { _, err := s.ForType("application/json; charset=utf-8"); return err },
		"Accept without a header": func() error { _, _, err := s.Accept(); return err },
		"Accept the default":      func() error { _, _, err := s.Accept("application/json"); return err },
		"Accept anything":         func() error { _, _, err := s.Accept("*/*"); return err },
		"Accept a list":           func() error { _, _, err := s.Accept("text/html, application/xml;q=0.9, */*;q=0.8"); return err },
	} {
		if have := testing.AllocsPerRun(100, func() {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}); have > 0 {
			t.Errorf("%s: want no allocation, have %v", name, have)
		}
	}
}

func FuzzForType(f *testing.F) {
	for _, s := range []string{"application/json", "a/b+json; charset=\"utf-8\"", "+json", "a/+", "application/json;charset=latin1", "%", "a/b+c+json"} {
		f.Add(s)
	}
	s := set(f, "application/json", "application/xml|text/xml")
	f.Fuzz(func(t *testing.T, contentType string) {
		c, err := s.ForType(contentType)
		if (c == nil) == (err == nil) {
			t.Fatalf("%q: have %v, %v", contentType, c, err)
		}
		if err != nil {
			if e, ok := errors.AsType[*codec.UnsupportedTypeError](err); !ok || e.Have != contentType || len(e.Want) != 3 {
				t.Fatalf("%q: have %T %v", contentType, err, err)
			}
			return
		}
		// Only a type that speaks of the encoding leads to it.
		if lower, kind := strings.ToLower(contentType), strings.TrimPrefix(typeOf(c), "application/"); !strings.Contains(lower, kind) {
			t.Fatalf("%q is read as %s", contentType, kind)
		}
	})
}

func BenchmarkForType(b *testing.B) {
	s := set(b, "application/json", "application/xml")
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "application/vnd.shop+json"} {
		b.Run(contentType, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.ForType(contentType); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAccept(b *testing.B) {
	s := set(b, "application/json", "application/xml")
	for _, accept := range []string{"application/json", "text/html, application/xml;q=0.9, */*;q=0.8"} {
		b.Run(accept, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Accept(accept); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestADecodeErrorTellsEachFault(t *testing.T) {
	t.Parallel()
	a, b := &codec.DecodeError{Path: "a", Problem: "wrong"}, &codec.DecodeError{Path: "b", Problem: "wrong too"}
	several := &codec.DecodeError{Problem: "both", Err: errors.Join(a, fmt.Errorf("wrapped: %w", b))}
	for _, row := range []struct {
		err  *codec.DecodeError
		want string
	}{
		{a, "[a: wrong]"},
		{several, "[a: wrong b: wrong too]"},
		{&codec.DecodeError{Path: "c", Problem: "odd", Err: errors.Join(io.EOF)}, "[c: odd]"},
	} {
		if have := fmt.Sprint(row.err.Violations()); row.want != have {
			t.Errorf("want %s, have %s", row.want, have)
		}
	}
}
