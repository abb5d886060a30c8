package form_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/form"
)

type everything struct {
	Name    string             `form:"name"`
	Age     *int               `form:"age"`
	Level   int8               `json:"level,omitempty"`
	Wait    time.Duration      `form:"wait"         json:"-"`
	Addr    netip.Addr         `form:"addr"`
	IDs     []int              `form:"id"`
	Times   []time.Time        `form:"time"`
	Labels  map[string]string  `form:"label"`
	Lists   map[string][]small `form:"list"`
	Address *address           `form:"address"`
	Secret  string             `form:"-"`
	base
}

type (
	small   int8
	address struct {
		City string   `json:"city"`
		Zip  int      `json:"zip"`
		Tags []string `json:"tags"`
	}
	base struct {
		Token string `form:"token"`
		Name  string `form:"name"` // hidden by the outer one
	}
)

func TestDecodeStoresEachKind(t *testing.T) {
	t.Parallel()
	have := everything{Level: 7, Labels: map[string]string{"old": "kept"}}
	err := form.New().Decode([]byte("name=a+b&&age=&wait=1.5s&addr=%3A%3A1&id=1&id=2&time=2026-01-02T03:04:05Z&label.x.y=1&label.=2&list.l=3&list.l=4"+
		"&address.city=K%C3%B6ln&token=t&Secret=x&-=y&csrf=1&"), &have)
	want := everything{
		Name: "a b", Level: 7, Wait: 1500 * time.Millisecond, Addr: netip.IPv6Loopback(), IDs: []int{1, 2},
		Times: []time.Time{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, Labels: map[string]string{"old": "kept", "x.y": "1", "": "2"},
		Lists: map[string][]small{"l": {3, 4}}, Address: &address{City: "Köln"}, base: base{Token: "t"},
	}
	if err != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v\nhave %+v, %v", want, have, err)
	}
}

func TestAppendWritesInTheOrderOfFields(t *testing.T) {
	t.Parallel()
	age := 0
	have, err := form.New().Append([]byte("a=b"), &everything{
		Name: "é&", Age: &age, IDs: []int{2, 1}, Labels: map[string]string{"b": "2", "a": "1"}, Addr: netip.IPv6Loopback(), Address: &address{},
	})
	want := "a=bname=%C3%A9%26&age=0&wait=0s&addr=%3A%3A1&id=2&id=1&label.a=1&label.b=2&address.city=&address.zip=0&token="
	if err != nil || string(have) != want {
		t.Errorf("want %s\nhave %s, %v", want, have, err)
	}
}

func TestOneErrorListsAllNamesThatFail(t *testing.T) {
	t.Parallel()
	err := form.New(form.RejectUnknown()).Decode([]byte("level=300&id=1&id=x&address.zip=y&label.k.l=1&label.k.l=2&csrf=1&list.l=256&a+b=1"), new(everything))
	want := []codec.DecodeError{
		{Path: "csrf", Problem: "unknown name"},
		{Path: `["a b"]`, Problem: "unknown name"},
		{Path: "level", Problem: "want an integer from -128 to 127, have 300"},
		{Path: "id[1]", Problem: `want an integer, have "x"`},
		{Path: "address.zip", Problem: `want an integer, have "y"`},
		{Path: `label["k.l"]`, Problem: "want one value, have 2"},
		{Path: "list.l", Problem: "want an integer from -128 to 127, have 256"},
	}
	e, ok := errors.AsType[*codec.DecodeError](err)
	if !ok {
		t.Fatalf("want a *codec.DecodeError, have %v", err)
	}
	joined, ok := e.Err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != len(want) {
		t.Fatalf("want %d joined errors, have %v", len(want), e.Err)
	}
	for i, err := range joined.Unwrap() {
		have, ok := errors.AsType[*codec.DecodeError](err)
		if !ok || have.Path != want[i].Path || have.Problem != want[i].Problem {
			t.Errorf("error %d: want %v, have %v", i, &want[i], err)
		}
		if !strings.Contains(e.Problem, err.Error()) {
			t.Errorf("want %q in %q", err, e.Problem)
		}
	}
}

func TestOneErrorListsNoMoreThan32Names(t *testing.T) {
	t.Parallel()
	err := form.New().Decode([]byte(manyLists(100)), new(everything))
	e, ok := errors.AsType[*codec.DecodeError](err)
	if !ok {
		t.Fatalf("want a *codec.DecodeError, have %v", err)
	}
	joined, _ := e.Err.(interface{ Unwrap() []error })
	if want, have := 32, len(joined.Unwrap()); want != have {
		t.Errorf("want %d names, have %d", want, have)
	}
}

// manyLists has n lists that fail.
func manyLists(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "list.l%d=x&", i)
	}
	return text.String()
}

func TestPairsAndBytesAreLimited(t *testing.T) {
	t.Parallel()
	c := form.New(form.MaxPairs(2), form.MaxSize(10))
	var v url.Values
	if err := c.Decode([]byte("a=1&&&b=2&"), &v); err != nil || len(v) != 2 {
		t.Errorf("want two pairs, have %v, %v", v, err)
	}
	for data, want := range map[string]string{"a&b&c": "want at most 2 pairs", "a=123456789": "want at most 10 bytes, have 11"} {
		err := c.Decode([]byte(data), &v)
		if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Problem != want {
			t.Errorf("%s: want %s, have %v", data, want, err)
		}
	}
}

func TestATypeWithoutAFormIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	type loop struct{ Next *loop }
	for _, v := range []any{
		new(loop), new(struct{ A any }), new(struct{ S []address }), new(struct{ M map[string]address }), new(struct{ M map[int]string }), new(int),
		new([]string), new(struct{ *base }), (*everything)(nil),
	} {
		if _, err := form.New().Append(nil, v); err == nil {
			t.Errorf("%T: want Append to fail", v)
		}
		err := form.New().Decode([]byte("a=b"), v)
		if _, ok := errors.AsType[*codec.DecodeError](err); ok || err == nil {
			t.Errorf("%T: want an error that is no *codec.DecodeError, have %v", v, err)
		}
	}
	if _, err := form.New().Append(nil, nil); err == nil {
		t.Error("nil: want Append to fail")
	}
}

func TestOptionsAreValidated(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]form.Option{"pairs 0": form.MaxPairs(0), "size 0": form.MaxSize(0), "nil": nil} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: want a panic", name)
				}
			}()
			form.New(option)
		}()
	}
}

func FuzzDecode(f *testing.F) {
	c := form.New()
	for _, text := range []string{
		"", "name=a+b&age=&wait=1.5s&addr=%3A%3A1&id=1&id=2&time=2026-01-02T03:04:05Z&label.x.y=1&list.l=3", "address.tags=&address.zip=1&token=%F0%9F%A6%8A",
		"=&==&a", "addr=&age=+1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, typ := range []reflect.Type{
			reflect.TypeFor[everything](), reflect.TypeFor[url.Values](), reflect.TypeFor[map[string]string](), reflect.TypeFor[codectest.Flat](),
		} {
			first, again := reflect.New(typ).Interface(), reflect.New(typ).Interface()
			if c.Decode(data, first) != nil {
				continue
			}
			once, err := c.Append(nil, first)
			if err != nil {
				t.Fatalf("%v: encode what was decoded: %v", typ, err)
			}
			if err := c.Decode(once, again); err != nil {
				t.Fatalf("%v: decode %q: %v", typ, once, err)
			}
			if twice, err := c.Append(nil, again); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("%v: want %q, have %q, %v", typ, once, twice, err)
			}
		}
	})
}

func BenchmarkFlat(b *testing.B) {
	c, v := form.New(), &codectest.Flat{Name: "an item of some length", Price: 123}
	data, err := c.Append(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		dst := make([]byte, 0, 1024)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Append(dst, v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Decode(data, new(codectest.Flat)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
