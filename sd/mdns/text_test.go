package mdns_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

func TestTheTextOfAnInstance(t *testing.T) {
	t.Parallel()
	i := sd.Instance{
		ID: "a", Address: "[2001:db8::1]:80", Weight: 7, Zone: "eu 1", Version: "v=1", Tags: []string{"blue", "k=v"}, Metadata: map[string]string{"b": "", "ä%": "x=y"},
	}
	have, err := mdns.Encode("shop.v1.Catalog", i, true, 36)
	want := []string{
		"ashlar=1", "rev=10", "service=shop.v1.Catalog", "address=[2001:db8::1]:80", "weight=7", "zone=eu 1", "version=v=1", "tag:blue", "tag:k%3Dv",
		"meta:b=", "meta:%C3%A4%25=x=y",
	}
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("want %q, have %q, %v", want, have, err)
	}
	if have, _ = mdns.Encode("s", i, false, 1); !slices.Contains(have, "id=a") {
		t.Errorf("want the ID where the label does not have it, have %q", have)
	}
}

func TestTheTextOfAnInstanceHasLimits(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for n := range 10 {
		many[strconv.Itoa(n)] = strings.Repeat("x", 200)
	}
	for want, i := range map[string]sd.Instance{
		`"meta:k" takes 256 bytes in a TXT record, and at most 255 fit`: {Metadata: map[string]string{"k": strings.Repeat("x", 249)}},
		`"zone" takes 305 bytes in a TXT record, and at most 255 fit`:   {Zone: strings.Repeat("x", 300)},
		`"tag:%3D%3D`: {Tags: []string{strings.Repeat("=", 100)}},
		`the instance takes 2114 bytes in a TXT record, and at most 1300 fit`: {Metadata: many},
		`"address" takes 258 bytes in a TXT record, and at most 255 fit`:      {Address: strings.Repeat("x", 250)},
	} {
		if _, err := mdns.Encode("s", i, true, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, have %v", want, err)
		}
	}
	if _, err := mdns.Encode("s", sd.Instance{Metadata: map[string]string{"k": strings.Repeat("x", 248)}}, true, 1); err != nil {
		t.Errorf("want 255 bytes to fit, have %v", err)
	}
}

func TestOfAnAttributeThatComesTwiceTheFirstCounts(t *testing.T) {
	t.Parallel()
	i, service, weight, revision := mdns.Decode([]string{
		"ashlar=1", "rev=z", "rev=1", "=x", "", "service=s", "service=t", "address=a", "address=b", "weight=x", "unknown=1", "meta:k=1", "meta:k=2", "tag:t", "tag:t",
	})
	want := sd.Instance{Address: "a", Tags: []string{"t"}, Metadata: map[string]string{"k": "1"}}
	if !i.Equal(want) || service != "s" || weight != "x" || revision != 35 {
		t.Errorf("want %v of s, weight x, revision 35, have %v of %s, %s, %d", want, i, service, weight, revision)
	}
}

func TestTheTextOfOthersIsMetadata(t *testing.T) {
	t.Parallel()
	i, service, _, revision := mdns.Decode([]string{"txtvers=1", "path=/x", "blue", "address=10.0.0.1:80", "Path=y"})
	want := sd.Instance{Tags: []string{"blue"}, Metadata: map[string]string{"txtvers": "1", "path": "/x", "Path": "y", "address": "10.0.0.1:80"}}
	if !i.Equal(want) || service != "" || revision != 0 {
		t.Errorf("want %v, have %v of %q, %d", want, i, service, revision)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a", "10.0.0.1:80", "eu", "v1", "blue", "key", "value", uint16(7))
	f.Add("", "x", "=", "%", "%2G%41%", "a=b", "\x00\xff", uint16(0))
	f.Fuzz(func(t *testing.T, id, address, zone, version, tag, key, value string, weight uint16) {
		i := sd.Instance{
			ID: id, Address: address, Zone: zone, Version: version, Weight: int(weight), Tags: []string{tag}, Metadata: map[string]string{key: value},
		}
		if i.Check() != nil || id == "" {
			t.Skip()
		}
		label, whole := mdns.LabelOf(id)
		text, err := mdns.Encode("s", i, whole, 1)
		if err != nil {
			t.Skip() // too long
		}
		for _, attribute := range text {
			name, _, _ := strings.Cut(attribute, "=")
			if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("want a key of visible ASCII, have %q", attribute)
			}
		}
		have, _, have0, _ := mdns.Decode(text)
		if have.ID == "" {
			have.ID = mdns.IDOf(label)
		}
		if have0 != "" {
			have.Weight, _ = strconv.Atoi(have0)
		}
		if !have.Equal(i) || !maps.Equal(have.Metadata, i.Metadata) {
			t.Errorf("want %+v, have %+v", i, have)
		}
	})
}
