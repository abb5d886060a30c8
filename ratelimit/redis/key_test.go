package redislimit_test

import (
	"strings"
	"testing"

	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// hashed returns what a cluster of Redis hashes of a name: what is between the first brace and the next that closes it, unless that is
// nothing.
func hashed(name string) string {
	_, after, opened := strings.Cut(name, "{")
	tag, _, closed := strings.Cut(after, "}")
	if !opened || !closed || tag == "" {
		return name
	}
	return tag
}

func TestKeysHaveNames(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"":                       "p:n:{%-}",
		"10.0.0.7":               "p:n:{10.0.0.7}",
		"a b\n\x00ü\xff":         "p:n:{a b\n\x00ü\xff}",
		"{":                      "p:n:{%(}",
		"a}b{c%":                 "p:n:{a%)b%(c%%}",
		"%(":                     "p:n:{%%(}",
		strings.Repeat("x", 128): "p:n:{" + strings.Repeat("x", 128) + "}",
		strings.Repeat("x", 129): "p:n:{%0ec9eb33e74510bcdd1f2ea55206e82f21649c5c2becbf2b433eb475b34c01bd}",
	} {
		state, probe, err := redislimit.Names("p:", "n", key)
		if err != nil || state != want {
			t.Errorf("%q: want %q, have %q, %v", key, want, state, err)
		}
		if want := state + "probe"; probe != want {
			t.Errorf("%q: want %q, have %q", key, want, probe)
		}
	}
	for _, name := range []string{"", "a{b", "}"} {
		if state, _, err := redislimit.Names("", name, "key"); err == nil {
			t.Errorf("%q: want an error, have %q", name, state)
		}
	}
}

// FuzzNames looks for two keys with one name, and for names whose slot is not that of the whole key.
func FuzzNames(f *testing.F) {
	f.Add("{", "%(")
	f.Add("a}", "a")
	f.Add(strings.Repeat("x", 129), "%")
	f.Add("", "}probe")
	f.Fuzz(func(t *testing.T, a, b string) {
		nameA, probeA, err := redislimit.Names("ratelimit:", "test", a)
		if err != nil {
			t.Fatal(err)
		}
		nameB, probeB, err := redislimit.Names("ratelimit:", "test", b)
		if err != nil {
			t.Fatal(err)
		}
		if (nameA == nameB) != (a == b) || nameA == probeB || nameB == probeA {
			t.Errorf("%q and %q: have %q and %q, and %q and %q", a, b, nameA, nameB, probeA, probeB)
		}
		if hashed(nameA) != hashed(probeA) || !strings.HasSuffix(nameA, "{"+hashed(nameA)+"}") {
			t.Errorf("%q: the whole of %q and %q is hashed to be in one slot, have %q and %q", a, nameA, probeA, hashed(nameA), hashed(probeA))
		}
	})
}
