package sdtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
)

func fieldChecks() []check {
	return []check{
		field("IPv6", "an address of IPv6 comes as it was put, with its brackets", addressed("[2001:db8::1]:8080", "[::ffff:c000:201]:443")),
		field("OtherAddresses", "an address that is no host:port, such as a URL or a subject, comes as it was put",
			addressed("https://shop.example.com/api?v=1", "shop.orders.v1", "unix:///run/shop.sock")),
		field("HostNames", "an address may have the name of a host", addressed("shop.example.com:8080")),
		field("IDs", "an ID comes as it was put", identified("a", "b-1", "0123456789abcdef")),
		field("OddIDs", "an ID comes as it was put, whatever characters it has, and tells upper from lower case",
			identified("a/b", "/a", "a/", "a", "A", ".", "..", "../a", "a.b.c", "a b", "a  b", "naïve 世界 🧱", "%2F", "a%b", "a+b", "a*b>c",
				`a\b`, "#?&=;,:@!$'()[]{}|^~`\"<>", "_", "-", strings.Repeat("long", 50))),
		field("DefaultID", "an instance without an ID has its address as the ID", []sd.Instance{{Address: "192.0.2.1:8001"}}),
		field("Weight", "a weight comes as it was put, 0 too", with(
			func(i *sd.Instance) { i.Weight = 0 }, func(i *sd.Instance) { i.Weight = 1 }, func(i *sd.Instance) { i.Weight = 42 },
			func(i *sd.Instance) { i.Weight = sd.MaxWeight },
		)),
		field("Zone", "a zone comes as it was put", with(
			func(i *sd.Instance) { i.Zone = "eu-1" }, func(i *sd.Instance) { i.Zone = "Zürich, hall 2 / rack=7" },
		)),
		field("Version", "a version comes as it was put", with(
			func(i *sd.Instance) { i.Version = "v1.2.3" }, func(i *sd.Instance) { i.Version = "1.2.3-rc.1+build=7 (世界)" },
		)),
		field("Tags", "tags come as they were put, sorted", with(
			func(i *sd.Instance) { i.Tags = []string{"b", "a"} }, func(i *sd.Instance) { i.Tags = []string{"k=v", "a,b", "c d", "e;f:g/h", "世界"} },
		)),
		field("Metadata", "metadata come as they were put", with(
			func(i *sd.Instance) { i.Metadata = map[string]string{"protocol": "grpc", "owner": "Team A"} },
		)),
		field("OddMetadata", "metadata come as they were put, whatever is in them", with(func(i *sd.Instance) {
			i.Metadata = map[string]string{
				"empty": "", "line": "a\r\nb\x00\tc ", "k.e-y_": "x=y;z", "Upper": "1", "upper": "2", "schlüssel/世界 x": "🧱", "a=b": "c=d",
				"long": strings.Repeat("0123456789", 40),
			}
		})),
		field("AllFields", "all fields of an instance come as they were put", with(func(i *sd.Instance) {
			i.Weight, i.Zone, i.Version, i.Tags, i.Metadata = 7, "eu-1", "v2", []string{"canary"}, map[string]string{"protocol": "http"}
		})),
	}
}

// field returns the check that each of the instances comes as it was put.
func field(name, clause string, all []sd.Instance) check {
	return check{name: name, clause: clause, run: func(c *cell) error {
		l, err := c.watch()
		if err != nil {
			return err
		}
		if err := c.put(all...); err != nil {
			return err
		}
		y, err := l.set(all...)
		if err != nil {
			return err
		}
		want := sd.Normalize(all)
		var errs []error
		for n, have := range sortedByAddress(y.set) {
			if want := sortedByAddress(want)[n]; different(name, want, have) {
				errs = append(errs, fmt.Errorf("want %s, have %s", full(want), full(have)))
			}
		}
		return errors.Join(append(errs, l.quiet())...)
	}}
}

// different compares the field that the check is about, so that a system that lacks one field fails in one check only.
func different(check string, want, have sd.Instance) bool {
	switch check {
	case "IPv6", "OtherAddresses", "HostNames":
		return want.Address != have.Address
	case "IDs", "OddIDs", "DefaultID":
		return want.ID != have.ID
	case "Weight":
		return want.Weight != have.Weight
	case "Zone":
		return want.Zone != have.Zone
	case "Version":
		return want.Version != have.Version
	case "Tags":
		return !slices.Equal(want.Tags, have.Tags)
	case "Metadata", "OddMetadata":
		return !maps.Equal(want.Metadata, have.Metadata)
	}
	return !want.Equal(have)
}

func sortedByAddress(set []sd.Instance) []sd.Instance {
	return slices.SortedFunc(slices.Values(set), func(a, b sd.Instance) int { return strings.Compare(a.Address, b.Address) })
}

// full returns an instance with all fields.
func full(i sd.Instance) string {
	return fmt.Sprintf("{%q %q %d %q %q %q %q}", i.ID, i.Address, i.Weight, i.Zone, i.Version, i.Tags, i.Metadata)
}

func addressed(addresses ...string) []sd.Instance {
	all := make([]sd.Instance, len(addresses))
	for n, address := range addresses {
		all[n] = sd.Instance{ID: fmt.Sprintf("i-%02d", n), Address: address}
	}
	return all
}

func identified(ids ...string) []sd.Instance {
	all := make([]sd.Instance, len(ids))
	for n, id := range ids {
		all[n] = sd.Instance{ID: id, Address: instance(n + 1).Address}
	}
	return all
}

func with(changes ...func(i *sd.Instance)) []sd.Instance {
	all := make([]sd.Instance, len(changes))
	for n, change := range changes {
		all[n] = instance(n + 1)
		change(&all[n])
	}
	return all
}
