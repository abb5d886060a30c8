package sd_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(i *sd.Instance){
		"": func(i *sd.Instance) {
			i.ID, i.Zone, i.Version, i.Weight = "a/b c", "Zürich", "v1 (世界)", sd.MaxWeight
			i.Tags, i.Metadata = []string{"k=v"}, map[string]string{"a b": " x\r\n\x00", "empty": ""}
		},
		"the address is missing":                   func(i *sd.Instance) { i.Address = "" },
		"the weight is -1, want 0 to 65535":        func(i *sd.Instance) { i.Weight = -1 },
		"the weight is 65536, want 0 to 65535":     func(i *sd.Instance) { i.Weight = sd.MaxWeight + 1 },
		`the ID "\xff" is not UTF-8`:               func(i *sd.Instance) { i.ID = "\xff" },
		`the ID "a\n" has control characters`:      func(i *sd.Instance) { i.ID = "a\n" },
		`the ID "a\x7fb" has control characters`:   func(i *sd.Instance) { i.ID = "a\x7fb" },
		`the address "a " has spaces around it`:    func(i *sd.Instance) { i.Address = "a " },
		`the address " " has spaces around it`:     func(i *sd.Instance) { i.Address = " " },
		`the zone "\u00a0eu" has spaces around it`: func(i *sd.Instance) { i.Zone = "\u00a0eu" },
		`the version "v\t1" has control characters`: func(i *sd.Instance) {
			i.Version = "v\t1"
		},
		`the tag "" is empty`:                     func(i *sd.Instance) { i.Tags = []string{"a", ""} },
		`the tag "a " has spaces around it`:       func(i *sd.Instance) { i.Tags = []string{"a "} },
		`the key "" of metadata is empty`:         func(i *sd.Instance) { i.Metadata = map[string]string{"": "x"} },
		`the key "\xff" of metadata is not UTF-8`: func(i *sd.Instance) { i.Metadata = map[string]string{"\xff": ""} },
		`the metadata k is "\xff", which is not UTF-8`: func(i *sd.Instance) {
			i.Metadata = map[string]string{"k": "\xff"}
		},
	} {
		i := sd.Instance{Address: "a:1"}
		change(&i)
		have := ""
		if err := i.Check(); err != nil {
			have = err.Error()
		}
		if want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for want, i := range map[string]sd.Instance{
		"a:1":   {Address: "a:1"},
		"b:1":   {ID: "b:1", Address: "b:1"},
		"1@c:1": {ID: "1", Address: "c:1", Zone: "eu"},
	} {
		if have := i.String(); want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for weight, want := range map[int]int{0: 1, 1: 1, 2: 2, sd.MaxWeight: sd.MaxWeight} {
		if have := (sd.Instance{Weight: weight}).Share(); want != have {
			t.Errorf("weight %d: want %d, have %d", weight, want, have)
		}
	}
}

// Each field that there will ever be is to be compared.
func TestEqualComparesEachField(t *testing.T) {
	t.Parallel()
	base := sd.Instance{
		ID: "1", Address: "a:1", Weight: 1, Zone: "eu", Version: "v1", Tags: []string{"x"}, Metadata: map[string]string{"k": "v"},
	}
	same := base
	same.Tags, same.Metadata = []string{"x"}, map[string]string{"k": "v"}
	if !base.Equal(same) {
		t.Errorf("want %v equal to %v", base, same)
	}
	if !(sd.Instance{Tags: []string{}, Metadata: map[string]string{}}).Equal(sd.Instance{}) {
		t.Error("want what is empty equal to nil")
	}
	for n := range reflect.TypeFor[sd.Instance]().NumField() {
		other := base
		field := reflect.ValueOf(&other).Elem().Field(n)
		field.SetZero()
		if base.Equal(other) || other.Equal(base) {
			t.Errorf("without %s it is equal", reflect.TypeFor[sd.Instance]().Field(n).Name)
		}
	}
}

func TestAnInvalidErrorNamesTheEntry(t *testing.T) {
	t.Parallel()
	reason := errors.New("the address is missing")
	err := error(&sd.InvalidError{Entry: "orders/1", Err: reason})
	if want := `sd: entry "orders/1": the address is missing`; err.Error() != want || !errors.Is(err, reason) {
		t.Errorf("want %q, have %v", want, err)
	}
}
