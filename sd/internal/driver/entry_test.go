package driver_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, want := range []sd.Instance{
		{Address: "a:1"},
		{
			ID: "a/b <世界>", Address: "[::1]:80", Weight: 3, Zone: "eu", Version: "v1&2", Tags: []string{"b", "a"},
			Metadata: map[string]string{"": "x"[:0], "k": "\x00\r\n\u2028", "a b": ""},
		},
	} {
		delete(want.Metadata, "")
		data, err := driver.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		have, invalid := driver.Unmarshal("x", data)
		if invalid != nil || !want.Equal(have) {
			t.Errorf("want %#v, have %#v, %v", want, have, invalid)
		}
	}
}

func TestAnEntryHasALimit(t *testing.T) {
	t.Parallel()
	const around = `{"address":"a:1","metadata":{"k":""}}`
	for length, fits := range map[int]bool{driver.MaxEntry: true, driver.MaxEntry + 1: false} {
		i := sd.Instance{Address: "a:1", Metadata: map[string]string{"k": strings.Repeat("x", length-len(around))}}
		data, err := driver.Marshal(i)
		if len(data) != length || fits != (err == nil) {
			t.Errorf("%d bytes: have %d, %v", length, len(data), err)
		}
		if _, invalid := driver.Unmarshal("x", data); fits != (invalid == nil) {
			t.Errorf("%d bytes: have %v", length, invalid)
		}
	}
}

func TestWhatIsNoInstanceIsSaidToBe(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		``:                                `unexpected end of JSON input`,
		`null`:                            `the address is missing`,
		`{}`:                              `the address is missing`,
		`[]`:                              `cannot unmarshal array`,
		`{"address":7}`:                   `cannot unmarshal number`,
		`{"address":"a:1"} x`:             `invalid character 'x'`,
		`{"address":"a:1","weight":-1}`:   `the weight is -1`,
		`{"address":"a:1","weight":1e99}`: `cannot unmarshal number`,
		`{"address":"a\u0000"}`:           `has control characters`,
	} {
		have, invalid := driver.Unmarshal("orders/1", []byte(data))
		if invalid == nil || invalid.Entry != "orders/1" || !strings.Contains(invalid.Error(), want) || !have.Equal(sd.Instance{}) {
			t.Errorf("%s: want %q, have %v, %v", data, want, have, invalid)
		}
	}
	have, invalid := driver.Unmarshal("x", []byte(`{"address":"a:1","colour":"red","health":{"ok":true}}`))
	if want := (sd.Instance{Address: "a:1"}); invalid != nil || !want.Equal(have) {
		t.Errorf("a field that is not known: want %v, have %v, %v", want, have, invalid)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, data := range []string{
		`{"address":"a:1"}`, `{"id":"1","address":"[::1]:80","weight":7,"zone":"eu","version":"v1","tags":["b","a"],"metadata":{"k":"v"}}`,
		`null`, `{"address":"\ud800"}`, `{"ADDRESS":"a","address":"b"}`, "{\"address\":\"\xff\"}", `{"address":"a","tags":null,"metadata":null}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		instance, invalid := driver.Unmarshal("x", data)
		if invalid != nil {
			if !instance.Equal(sd.Instance{}) || invalid.Entry != "x" || invalid.Err == nil {
				t.Errorf("have %v, %v", instance, invalid)
			}
			return
		}
		if err := instance.Check(); err != nil {
			t.Errorf("it is let through: %v", err)
		}
		again, err := driver.Marshal(instance)
		if err != nil {
			return // escapes make it longer than it was
		}
		if have, invalid := driver.Unmarshal("x", again); invalid != nil || !instance.Equal(have) {
			t.Errorf("want %#v, have %#v, %v", instance, have, invalid)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, id := range []string{"a", ".", "..", "a/b", "%2F", "a b", "世界", "[::1]:80", "\xff", "*>"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		key := driver.Key(id)
		if strings.ContainsAny(key, "/\\. \t\r\n*>?#\"") || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("the key of %q is %q", id, key)
		}
		if have, err := url.PathUnescape(key); err != nil || id != have {
			t.Errorf("want %q back from %q, have %q, %v", id, key, have, err)
		}
		if len(key) > 3*len(id) {
			t.Errorf("the key of %d bytes has %d", len(id), len(key))
		}
	})
}

func TestCheckService(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"orders", "Orders-2_x", "shop.orders", "t-0123456789", "a:b@c"} {
		if err := driver.CheckService(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "a..b", ".a", "a.", "a b", " a", "a\n", "a/b", `a\b`, "a*", "a>b", "a?", "a#", "a%2Fb", `"a"`, "é", "\xff", "\x7f",
	} {
		if err := driver.CheckService(name); err == nil || !strings.Contains(err.Error(), "sd: the name of the service is ") {
			t.Errorf("%q: have %v", name, err)
		}
	}
}
