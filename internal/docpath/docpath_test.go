package docpath_test

import (
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

func TestAPathGrowsFromTheInside(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ want, have string }{
		{"price", docpath.Member("price", "")},
		{"items[3].price", docpath.Member("items", docpath.Index(3, docpath.Member("price", "")))},
		{"[0][1]", docpath.Index(0, docpath.Index(1, ""))},
		{`texts["a b"].x-y`, docpath.Member("texts", docpath.Member("a b", docpath.Member("x-y", "")))},
		{`[""]`, docpath.Member("", "")},
		{`["\x00\xff"]`, docpath.Member("\x00\xff", "")},
		{"a.b", docpath.Join("a", "b")},
		{"a[0]", docpath.Join("a", "[0]")},
		{"b", docpath.Join("", "b")},
		{"a", docpath.Join("a", "")},
		{"ab", docpath.Cut("ab", 2)},
		{"ab...", docpath.Cut("abc", 2)},
		{"a...", docpath.Cut("aü", 2)},
		{`["` + strings.Repeat("ü", 32) + `..."]`, docpath.Member(strings.Repeat("ü", 1000), "")},
	} {
		if tt.have != tt.want {
			t.Errorf("want %s, have %s", tt.want, tt.have)
		}
	}
}
