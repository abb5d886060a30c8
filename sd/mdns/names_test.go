package mdns_test

import (
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/sd/mdns"
)

func TestTheTypeOfAServiceIsItsNameWhereThatMayBeOne(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]string{
		"orders": "_orders._tcp.local.", "http": "_http._tcp.local.", "a-1": "_a-1._tcp.local.", "fifteen-letters": "_fifteen-letters._tcp.local.",
	} {
		if have, own := mdns.TypeOf(service); have != want || !own {
			t.Errorf("%s: want %s, its own, have %s, %v", service, want, have, own)
		}
	}
}

func TestTheTypeOfOtherServicesIsMadeOfTheirNames(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for service, prefix := range map[string]string{
		"shop.v1.Catalog": "_shop-v1-", "shop.v1.catalog": "_shop-v1-", "shop-v1-Catalog": "_shop-v1-", "Orders": "_orders-", "sixteen--letters": "_sixteen-",
		"an-even-longer-name-than-that": "_an-even-", "-x": "_x-", "x-": "_x-", "a--b": "_a-b-", "1234": "_1234-", "_": "_s-", "com.example.v1": "_com-exa-",
	} {
		have, own := mdns.TypeOf(service)
		label := strings.TrimSuffix(have, "._tcp.local.")
		if own || !strings.HasPrefix(have, prefix) || len(label) > 16 || label != strings.ToLower(label) || strings.Contains(label, "--") {
			t.Errorf("%s: want a type of at most 15 small letters, digits and single hyphens that begins with %s, have %s, %v", service, prefix, have, own)
		}
		if other := seen[have]; other != "" {
			t.Errorf("%s and %s both have %s", service, other, have)
		}
		seen[have] = service
	}
	if have, _ := mdns.TypeOf("shop.v1.Catalog"); have != "_shop-v1-5cj5pgy._tcp.local." {
		t.Errorf("the type changed to %s; processes of two releases no longer find each other", have)
	}
}

func TestLabelsHoldIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"a": "a", "10.0.0.1:80": "10%2E0%2E0%2E1:80", "a%2Eb.c": "a%252Eb%2Ec", "naïve 世界": "naïve 世界", ".": "%2E", "..": "%2E%2E",
		strings.Repeat("x", 63): strings.Repeat("x", 63),
	} {
		have, whole := mdns.LabelOf(id)
		if have != want || !whole || mdns.IDOf(have) != id {
			t.Errorf("%q: want %q and back, have %q, %v, %q", id, want, have, whole, mdns.IDOf(have))
		}
	}
	long := map[string]bool{}
	for _, id := range []string{strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat(".", 30), strings.Repeat("世", 30)} {
		have, whole := mdns.LabelOf(id)
		if whole || len(have) > mdns.MaxLabel || strings.ToValidUTF8(have, "") != have || strings.Contains(have, ".") || long[have] {
			t.Errorf("%q: want a label of its own of at most %d bytes, have %q, %v", id, mdns.MaxLabel, have, whole)
		}
		long[have] = true
	}
}
