package scalar_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/scalar"
)

var fuzzed = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[int64](), reflect.TypeFor[uint16](),
	reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[time.Duration](), reflect.TypeFor[[]byte](), reflect.TypeFor[grade](), reflect.TypeFor[*int](),
}

// FuzzSet checks that what a Setter reads is written by the Formatter such that it is read as the same, and that no error
// repeats a long text.
func FuzzSet(f *testing.F) {
	for _, text := range []string{"", "x", "true", "-128", "1e308", "2026-01-02T03:04:05.6+23:59", "-2562047h47m16.854775808s", "-_8=", "A", "\xff", "-0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range fuzzed {
			set, _ := scalar.For(typ)
			format, _ := scalar.Format(typ)
			v, again := reflect.New(typ).Elem(), reflect.New(typ).Elem()
			if err := set(v, text); err != nil {
				if len(err.Error()) > 300 || strings.Contains(err.Error(), typ.String()) && !strings.Contains(text, typ.String()) {
					t.Errorf("%v: unfit to be shown: %v", typ, err)
				}
				continue
			}
			first, err := format(nil, v)
			if err != nil {
				t.Fatalf("%v: format what was read from %q: %v", typ, text, err)
			}
			if err := set(again, string(first)); err != nil {
				t.Fatalf("%v: read back %q: %v", typ, first, err)
			}
			if second, err := format(nil, again); err != nil || !bytes.Equal(first, second) {
				t.Errorf("%v: want %q, have %q, %v", typ, first, second, err)
			}
		}
	})
}
