package cbor_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/codectest"
)

// everything has a field of each kind.
type everything struct {
	Int8    int8              `json:"int8,omitempty"`
	Int     int               `json:"int"`
	Uint8   uint8             `json:"uint8"`
	Float64 float64           `json:"float64"`
	Bool    bool              `json:"bool"`
	Text    string            `cbor:"text"    json:"-"`
	Bytes   []byte            `json:"bytes"`
	ID      [4]byte           `json:"id"`
	Time    time.Time         `json:"time"`
	Ptr     *time.Time        `json:"ptr"`
	Addr    netip.Addr        `json:"addr"`
	Addrs   []netip.Addr      `json:"addrs"`
	Any     any               `json:"any"`
	Texts   map[string]string `json:"texts"`
	Anys    map[string]any    `json:"anys"`
	Numbers map[int]int       `json:"numbers"`
	Self    *everything       `json:"self"`
	List    []everything      `json:"list"`
	Err     fmt.Stringer      `json:"err"`
	Key     int               `cbor:"1,keyasint"`
	embedded
}

type embedded struct {
	Inner int `json:"inner"`
	Deep
}

type Deep struct{ Count uint8 }

func TestErrorsSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ data, path, problem string }{
		{"", "", "the document is empty"},
		{"\xa1\x63int\x18", "", "the document ends too early"},
		{"\x83\x01\x02\x03", "", "want a map, have an array"},
		{"\xa1\x64int8\x18\x80", "int8", "want an integer from -128 to 127, have 128"},
		{"\xa1\x64int8\x38\x80", "int8", "want an integer from -128 to 127, have -129"},
		{"\xa1\x63int\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "int", "want an integer from -9223372036854775808 to 9223372036854775807, have an integer below -9223372036854775808"},
		{"\xa1\x65uint8\x20", "uint8", "want an integer from 0 to 255, have -1"},
		{"\xa1\x65uint8\xf9\x3c\x00", "uint8", "want an integer from 0 to 255, have a floating-point number"},
		{"\xa1\x64bool\x01", "bool", "want true or false, have 1"},
		{"\xa1\x64text\x41x", "text", "want a string, have bytes"},
		{"\xa1\x64text\x61\xff", "text", "the string is not UTF-8"},
		{"\xa1\x64time\x61x", "time", "want a time such as 2006-01-02T15:04:05Z"},
		{"\xa1\x63ptr\xc0\x61x", "ptr", "want a time such as 2006-01-02T15:04:05Z"},
		{"\xa1\x63any\x82\x01\x61\xff", "any[1]", "the string is not UTF-8"},
		{"\xa1\x63any\xa1\x01\x01", "any", ""},
		{"\xa1\x64anys\xa1\x63a.b\xa2\x61x\x01\x61x\x02", `anys["a.b"].x`, "the member appears twice"},
		{"\xa1\x65texts\xa1\x61k\x01", "texts.k", "want a string, have 1"},
		{"\xa1\x67numbers\xa2\x01\x01\x20\x61x", "numbers.-1", "want an integer from -9223372036854775808 to 9223372036854775807, have a string"},
		{"\xa1\x64addr\x61x", "addr", "the value is not valid"},
		{"\xa1\x65addrs\x82\x60\x61x", "addrs[1]", "the value is not valid"},
		{"\xa1\x64self\xbf\x64list\x9f\xa0\xa1\x64int8\x61x\xff\xff", "self.list[1].int8", "want an integer from -128 to 127, have a string"},
		{"\xa1\x65inner\x61x", "inner", "want an integer from -9223372036854775808 to 9223372036854775807, have a string"},
		{"\xa1\x65Count\x19\x01\x00", "Count", "want an integer from 0 to 255, have 256"},
		{"\xa1\x01\x61x", "1", "want an integer from -9223372036854775808 to 9223372036854775807, have a string"},
	} {
		err := cbor.New().Decode([]byte(tt.data), new(everything))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if !ok || e.Path != tt.path || tt.problem != "" && e.Problem != tt.problem {
			t.Errorf("%q: want %s: %s, have %v", tt.data, tt.path, tt.problem, err)
		}
	}
}

func TestDepthIsLimitedWhereverItIs(t *testing.T) {
	t.Parallel()
	for _, nest := range []string{"\x81", "\x9f", "\xa1\x61x", "\xc6", "\xd9\xd9\xf7"} {
		deep := strings.Repeat(nest, 1_000_000)
		for _, data := range []string{deep, "\xa1\x63any" + deep, "\xa1\x61x" + deep, "\xa1\x64list" + deep} {
			for _, v := range []any{new(any), new(everything), new([]any)} {
				if _, ok := errors.AsType[*codec.DecodeError](cbor.New().Decode([]byte(data), v)); !ok {
					t.Errorf("%T from %.10q...: want a *codec.DecodeError", v, data)
				}
			}
		}
	}
}

func TestElementsAreLimited(t *testing.T) {
	t.Parallel()
	c := cbor.New(cbor.MaxElements(16))
	zeros, pairs := strings.Repeat("\x00", 14), "\x61a\x00\x61b\x00\x61c\x00\x61d\x00\x61e\x00\x61f\x00\x61g\x00"
	for data, want := range map[string]bool{
		"\x90" + zeros + "\x00\x00":                           true,
		"\x91" + zeros + "\x00\x00\x00":                       false,
		"\x82\x8e" + zeros + "\xf6":                           true, // the whole document counts
		"\x82\x8e" + zeros + "\x81\x00":                       false,
		"\x83\x8e" + zeros + "\xf6\xf6":                       false,
		"\x82\x8e" + zeros + "\xa1\x00\x00":                   false,
		"\x82\x9f" + zeros + "\xff\xf6":                       true, // of indefinite length
		"\x82\x9f" + zeros + "\xff\x9f\x00\xff":               false,
		"\x9f\x9f" + zeros + "\xff\xf6\xff":                   true,
		"\x9f\x9f" + zeros + "\xff\xf6\xf6\xff":               false,
		"\x82\xa7" + pairs + "\x87" + zeros[:7]:               true,
		"\x82\xa7" + pairs + "\x88" + zeros[:8]:               false,
		"\x82\xbf" + pairs + "\xff\x87" + zeros[:7]:           true,
		"\x82\xbf" + pairs + "\xff\x88" + zeros[:8]:           false,
		"\x82\x78\x20" + strings.Repeat("\x61", 32) + "\xf6":  true, // a text
		"\x82\x7f\x78\x0e" + zeros + "\x6e" + zeros + "\xff1": true,
		"\xd9\xd9\xf7\x82\xc6\x8e" + zeros + "\x81\x00":       false, // in tags
		"\xd9\xd9\xf7\x82\xd8\x40\x4e" + zeros + "\x81\x00":   true,
		"\xfb" + zeros[:8]:                                    true,
	} {
		err := c.Decode([]byte(data), new(any))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if want != (err == nil) || !want && (!ok || e.Problem != "want at most 16 elements") {
			t.Errorf("%q: want accepted %t, have %v", data, want, err)
		}
	}
	text := "\x82\x70" + zeros + "\x00\x00"
	for _, rest := range []string{"", "\x18", "\x19\x00", "\x1a\x00\x00\x00", "\x1b" + zeros[:7], "\x78\x02\x00", "\x7f\x60", "\x9f", "\xbf\x61a", "\xc6", "\xd8", "\xff"} {
		err := c.Decode([]byte(text+rest), new(any)) // it need not be well-formed
		if e, ok := errors.AsType[*codec.DecodeError](err); !ok || strings.Contains(e.Problem, "elements") {
			t.Errorf("%q: want it refused as malformed, have %v", rest, err)
		}
	}
}

func TestManySmallArraysDoNotFillTheMemory(t *testing.T) {
	t.Parallel()
	const n = 900
	data := append([]byte{0x99, n >> 8, n & 0xFF}, bytes.Repeat(append([]byte{0x99, n >> 8, n & 0xFF}, make([]byte, n)...), n)...)
	_, ok := errors.AsType[*codec.DecodeError](cbor.New().Decode(data, new([][]uint8)))
	if !ok {
		t.Error("want it refused")
	}
	if err := cbor.New(cbor.MaxElements(1<<20)).Decode(data, new([][]int)); err != nil {
		t.Error(err)
	}
}

func TestAPathEndsWhereLookingGetsTooExpensive(t *testing.T) {
	t.Parallel()
	const levels, shown = 20, 16
	err := cbor.New().Decode([]byte(strings.Repeat("\x81", levels)+"\xa1\x80\x00"), new(any))
	e, ok := errors.AsType[*codec.DecodeError](err)
	if want := strings.Repeat("[0]", shown); !ok || e.Path != want {
		t.Errorf("want %s, have %v", want, err)
	}
}

func TestUnknownMembersArePassedOver(t *testing.T) {
	t.Parallel()
	data := []byte("\xa2\x65other\x82\xc6\x05\xa1\x01\xf6\x63int\x07")
	var v everything
	if err := cbor.New().Decode(data, &v); err != nil || v.Int != 7 {
		t.Errorf("want 7, have %d, %v", v.Int, err)
	}
	err := cbor.New(cbor.RejectUnknown()).Decode(data, &v)
	if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Path != "other" || e.Problem != "unknown member" {
		t.Errorf("RejectUnknown: want it refused, have %v", err)
	}
}

func TestATypeThatCannotBeDecodedIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v    any
		data string
	}{
		{new(everything), "\xa1\x63err\x01"},
		{new(complex128), "\x01"},
		{new(struct{ C chan int }), "\xa1\x61C\x01"},
	} {
		err := cbor.New().Decode([]byte(tt.data), tt.v)
		if _, ok := errors.AsType[*codec.DecodeError](err); ok || err == nil {
			t.Errorf("%T: want an error that is no *codec.DecodeError, have %v", tt.v, err)
		}
	}
}

func TestEverythingComesBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	want := everything{
		Int8: math.MinInt8, Int: math.MinInt, Float64: 1e300, Bool: true, Text: "ü", Bytes: []byte{0xFF}, ID: [4]byte{1, 2, 3, 4}, Time: now,
		Ptr: &now, Addr: netip.IPv6Loopback(), Addrs: []netip.Addr{netip.IPv6Loopback()}, Any: []any{"a", nil, int64(-1), map[string]any{"t": now}},
		Texts: map[string]string{"k": "v"}, Anys: map[string]any{"k": []any{"x"}}, Numbers: map[int]int{-1: 2}, Key: 9,
		Self: &everything{Int: 2}, List: []everything{{}, {Int: 3}}, embedded: embedded{Inner: 4, Deep: Deep{Count: 5}},
	}
	data, err := cbor.New().Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	have := everything{}
	if err := cbor.New().Decode(data, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v\nhave %+v", want, have)
	}
}

func TestEqualMapsHaveEqualEncodings(t *testing.T) {
	t.Parallel()
	c := cbor.New()
	first, second := make(map[string]int), make(map[string]int)
	for i := range 100 {
		first[fmt.Sprint(i)], second[fmt.Sprint(99-i)] = i, 99-i
	}
	one, err := c.Append(nil, first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.Append(nil, second)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("want %q, have %q, %v", one, two, err)
	}
}

func TestOptionsAreValidated(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]cbor.Option{
		"depth 3": cbor.MaxDepth(3), "depth 10001": cbor.MaxDepth(10_001), "elements 15": cbor.MaxElements(15), "nil": nil,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: want a panic", name)
				}
			}()
			cbor.New(option)
		}()
	}
}

func TestAppendCostsNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c, v := cbor.New(), &codectest.Item{Name: "stone", Price: 3}
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Append(dst, v) }); n > 0 {
		t.Errorf("want 0 allocations, have %v", n)
	}
}

func FuzzDecode(f *testing.F) {
	c := cbor.New()
	for _, v := range []any{everything{}, everything{List: make([]everything, 2), Any: []any{map[string]any{"a": 1.5, "b": time.Now()}}}, codectest.Order{}} {
		data, err := c.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, typ := range []reflect.Type{
			reflect.TypeFor[everything](), reflect.TypeFor[any](), reflect.TypeFor[[]any](), reflect.TypeFor[map[string]int](),
			reflect.TypeFor[map[any]any](), reflect.TypeFor[[][]string](), reflect.TypeFor[[]time.Time](), reflect.TypeFor[[2]any](),
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

func BenchmarkOrder(b *testing.B) {
	c := cbor.New()
	order := &codectest.Order{ID: "1", Time: time.Now(), Items: make([]codectest.Item, 100)}
	for i := range order.Items {
		order.Items[i] = codectest.Item{Name: "an item of some length", Price: i}
	}
	data, err := c.Append(nil, order)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		dst := make([]byte, 0, 2*len(data))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Append(dst, order); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Decode(data, new(codectest.Order)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("locate", func(b *testing.B) {
		wrong := bytes.Replace(data, []byte("\x18\x63"), []byte("\x41\x63"), 1) // the price of the last item
		b.ReportAllocs()
		for b.Loop() {
			if c.Decode(wrong, new(codectest.Order)) == nil {
				b.Fatal("want an error")
			}
		}
	})
}
