package sd_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ given, want []sd.Instance }{
		"none":      {nil, []sd.Instance{}},
		"the ID":    {[]sd.Instance{{Address: "a"}}, []sd.Instance{{ID: "a", Address: "a"}}},
		"the order": {[]sd.Instance{{ID: "2", Address: "a"}, {ID: "10", Address: "b"}, {Address: "1"}}, []sd.Instance{{ID: "1", Address: "1"}, {ID: "10", Address: "b"}, {ID: "2", Address: "a"}}},
		"one ID":    {[]sd.Instance{{ID: "1", Address: "b"}, {ID: "1", Address: "a"}}, []sd.Instance{{ID: "1", Address: "b"}}},
		"one address": {
			[]sd.Instance{{ID: "2", Address: "a"}, {ID: "1", Address: "a"}}, []sd.Instance{{ID: "2", Address: "a"}},
		},
		"the address of one that was left out": {
			[]sd.Instance{{ID: "1", Address: "a"}, {ID: "1", Address: "b"}, {ID: "2", Address: "b"}},
			[]sd.Instance{{ID: "1", Address: "a"}, {ID: "2", Address: "b"}},
		},
		"an ID that is an address": {[]sd.Instance{{ID: "b", Address: "a"}, {Address: "b"}}, []sd.Instance{{ID: "b", Address: "a"}}},
		"tags": {
			[]sd.Instance{{Address: "a", Tags: []string{"y", "x", "y", "x"}}, {Address: "b", Tags: []string{"x", "x"}}, {Address: "c", Tags: []string{}}},
			[]sd.Instance{{ID: "a", Address: "a", Tags: []string{"x", "y"}}, {ID: "b", Address: "b", Tags: []string{"x"}}, {ID: "c", Address: "c"}},
		},
		"metadata": {[]sd.Instance{{Address: "a", Metadata: map[string]string{}}}, []sd.Instance{{ID: "a", Address: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := make([]sd.Instance, len(row.given))
			for n, i := range row.given {
				i.Tags = slices.Clone(i.Tags)
				before[n] = i
			}
			have := sd.Normalize(row.given)
			if have == nil || !sd.Same(row.want, have) {
				t.Errorf("want %v, have %v", row.want, have)
			}
			if !sd.Same(before, row.given) {
				t.Errorf("it was given %v, and has made %v of that", before, row.given)
			}
			if again := sd.Normalize(have); !sd.Same(have, again) {
				t.Errorf("again: want %v, have %v", have, again)
			}
			for _, i := range have {
				if i.Metadata != nil && len(i.Metadata) == 0 || i.Tags != nil && len(i.Tags) == 0 {
					t.Errorf("want nil for what is empty, have %#v", i)
				}
			}
		})
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		a, b []sd.Instance
		want bool
	}{
		"none":          {nil, []sd.Instance{}, true},
		"equal":         {set("a", "b"), set("b", "a"), true},
		"one more":      {set("a"), set("a", "b"), false},
		"another":       {set("a"), set("b"), false},
		"another field": {set("a"), []sd.Instance{{ID: "a", Address: "a", Weight: 1}}, false},
	} {
		if have := sd.Same(row.a, row.b); row.want != have {
			t.Errorf("%s: want %t, have %t", name, row.want, have)
		}
	}
}

// many returns n instances with all fields, in no order.
func many(n int) []sd.Instance {
	all := make([]sd.Instance, n)
	for i := range all {
		text := strconv.Itoa(i)
		all[i] = sd.Instance{
			ID: "instance-" + text, Address: "10.0.0.1:" + text, Weight: 10, Zone: "eu-1", Version: "v1.2.3",
			Tags: []string{"canary", "grpc"}, Metadata: map[string]string{"protocol": "grpc", "pod": "orders-" + text},
		}
	}
	rand.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func BenchmarkNormalize(b *testing.B) {
	given := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		sd.Normalize(given)
	}
}

func BenchmarkSame(b *testing.B) {
	one := sd.Normalize(many(10_000))
	other := sd.Normalize(many(10_000))
	b.ReportAllocs()
	for b.Loop() {
		if !sd.Same(one, other) {
			b.Fatal("they are the same")
		}
	}
}
