package msgpack_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/msgpack"
)

// everything has a field of each kind that a document is held against.
type everything struct {
	Int8    int8              `json:"int8,omitempty"`
	Int     int               `json:"int"`
	Uint8   uint8             `json:"uint8"`
	Uint64  uint64            `json:"uint64"`
	Float32 float32           `json:"float32"`
	Float64 float64           `json:"float64"`
	Bool    bool              `json:"bool"`
	Text    string            `json:"-"    msgpack:"text,alias:old"`
	Bytes   []byte            `json:"bytes"`
	ID      [4]byte           `json:"id"`
	Pair    [2]int            `json:"pair"`
	Time    time.Time         `json:"time"`
	Ptr     *time.Time        `json:"ptr"`
	Addr    netip.Addr        `json:"addr"`
	Addrs   []netip.Addr      `json:"addrs"`
	Any     any               `json:"any"`
	Texts   map[string]string `json:"texts"`
	Anys    map[string]any    `json:"anys"`
	Mixed   map[any]int       `json:"mixed"`
	Self    *everything       `json:"self"`
	List    []everything      `json:"list"`
	Err     fmt.Stringer      `json:"err"`
	Hidden  string            `json:"-"`
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
		{"\x93\x01\x02\x03", "", "want a map, have an array of 3"},
		{"\x81\xa4int8\xcc\x80", "int8", "want an integer from -128 to 127, have 128"},
		{"\x81\xa4int8\xd1\xff\x7f", "int8", "want an integer from -128 to 127, have -129"},
		{"\x81\xa3int\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "int", "want an integer from -9223372036854775808 to 9223372036854775807, have 18446744073709551615"},
		{"\x81\xa3int\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "int", "want an integer, have a floating-point number"},
		{"\x81\xa5uint8\xff", "uint8", "want an integer from 0 to 255, have -1"},
		{"\x81\xa5uint8\xcd\x01\x00", "uint8", "want an integer from 0 to 255, have 256"},
		{"\x81\xa6uint64\xd3\xff\xff\xff\xff\xff\xff\xff\xff", "uint64", "want an integer from 0 to 18446744073709551615, have -1"},
		{"\x81\xa7float32\xcb\x7f\xef\xff\xff\xff\xff\xff\xff", "float32", "out of range: want a number of 32 bits"},
		{"\x81\xa7float32\xcb\xc7\xef\xff\xff\xff\xff\xff\xff", "float32", "out of range: want a number of 32 bits"},
		{"\x81\xa7float64\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "float64", "want a number, have 18446744073709551615"},
		{"\x81\xa4bool\x01", "bool", "want true or false, have 1"},
		{"\x81\xa4text\xc4\x01x", "text", "want a string, have 1 bytes"},
		{"\x82\xa4text\xa1x\xa3old\xa1y", "old", "the member appears twice"},
		{"\x81\xa5bytes\x90", "bytes", "want bytes, have an array of 0"},
		{"\x81\xa2id\xa512345", "id", "want at most 4 bytes, have a string"},
		{"\x81\xa4pair\x93\x01\x02\x03", "pair", "want an array of at most 2, have an array of 3"},
		{"\x81\xa4time\xa1x", "time", "want a timestamp, have a string"},
		{"\x81\xa4time\xc0", "time", "want a timestamp, have nil"},
		{"\x81\xa4time\xd5\xff\x00\x00", "time", "want no extension but a timestamp, have one of type -1"},
		{"\x81\xa3any\xd4\x05\x00", "any", "want no extension but a timestamp, have one of type 5"},
		{"\x81\xa3any\x92\x01\x81\x01\x01", "any[1]", "want a string as the name of a member"},
		{"\x81\xa4anys\x81\xa3a.b\x82\xa1x\x01\xa1x\x02", `anys["a.b"].x`, "the member appears twice"},
		{"\x81\xa5texts\x81\xa1k\x01", "texts.k", "want a string, have 1"},
		{"\x81\xa5texts\x82\xa1k\xa1v\xa1k\xa1v", "texts.k", "the member appears twice"},
		{"\x81\xa5mixed\x81\x90\x01", "mixed", "want a name that is a string, a number or a boolean"},
		{"\x81\xa5mixed\x82\x01\x01\xff\xa1x", "mixed.-1", "want an integer, have a string"},
		{"\x81\xa4addr\xa1x", "addr", "the value is not valid"},
		{"\x81\xa5addrs\x92\xa0\xa1x", "addrs[1]", "the value is not valid"},
		{"\x81\xa4self\x81\xa4list\x92\x80\x81\xa4int8\xa1x", "self.list[1].int8", "want an integer, have a string"},
		{"\x81\xa5inner\xa1x", "inner", "want an integer, have a string"},
		{"\x81\xa5Count\xcd\x01\x00", "Count", "want an integer from 0 to 255, have 256"},
		{"\x81\xa1x\x92\x01", "x", "the document ends too early"},
	} {
		err := msgpack.New().Decode([]byte(tt.data), new(everything))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if !ok || e.Path != tt.path || e.Problem != tt.problem {
			t.Errorf("%q: want %s: %s, have %v", tt.data, tt.path, tt.problem, err)
		}
	}
}

// Other languages know no single precision.
func TestDoublesAreRoundedWhereTheTypeHasAFloat32(t *testing.T) {
	t.Parallel()
	type price struct {
		Low, High float32
		Exact     float64
		Steps     []*float32
		ByName    map[string]float32
		Any       any
	}
	data, err := msgpack.New().Append(nil, map[string]any{
		"Low": 0.1, "High": -math.MaxFloat32, "Exact": 0.1, "Steps": []any{1.5, nil, math.Inf(1)}, "ByName": map[string]any{"a": 1e-300, "b": 3}, "Any": 0.1,
	})
	if err != nil {
		t.Fatal(err)
	}
	step, inf := float32(1.5), float32(math.Inf(1))
	want := price{Low: 0.1, High: -math.MaxFloat32, Exact: 0.1, Steps: []*float32{&step, nil, &inf}, ByName: map[string]float32{"a": 0, "b": 3}, Any: 0.1}
	var have price
	if err := msgpack.New().Decode(data, &have); err != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v\nhave %+v, %v", want, have, err)
	}
	var root float32
	if err := msgpack.New().Decode([]byte("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), &root); err != nil || root != 1.5 {
		t.Errorf("want 1.5, have %v, %v", root, err)
	}
}

// The library would take the content of an extension for the head of a map, and allocate what it declares.
func TestAnExtensionIsNoMap(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"\x81\xa4anys\xd6\xff\xdf\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x81\xa5texts\xd6\xff\xdf\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x81\xa5mixed\xc7\x0c\xff\xdf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		err := msgpack.New().Decode([]byte(data), new(everything))
		if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Problem != "want a map, have an extension" {
			t.Errorf("%q: want it refused, have %v", data, err)
		}
	}
}

func TestUnknownMembersArePassedOver(t *testing.T) {
	t.Parallel()
	data := []byte("\x82\xa5other\x92\xd4\x05\x00\x81\x01\xc0\xa3int\x07") // extensions and numbers as names among them
	var v everything
	if err := msgpack.New().Decode(data, &v); err != nil || v.Int != 7 {
		t.Errorf("want 7, have %d, %v", v.Int, err)
	}
	err := msgpack.New(msgpack.RejectUnknown()).Decode(data, &v)
	if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Path != "other" || e.Problem != "unknown member" {
		t.Errorf("RejectUnknown: want it refused, have %v", err)
	}
}

func TestATypeThatCannotBeDecodedIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	type pointer struct{ *Deep }
	for _, tt := range []struct {
		v    any
		data string
	}{
		{new(everything), "\x81\xa3err\x01"},
		{new(map[[1]any]int), "\x80"},
		{new(complex128), "\x01"},
		{new(struct{ C chan int }), "\x81\xa1C\x01"},
		{new(pointer), "\x81\xa5Count\x01"},
	} {
		err := msgpack.New().Decode([]byte(tt.data), tt.v)
		if _, ok := errors.AsType[*codec.DecodeError](err); ok || err == nil {
			t.Errorf("%T: want an error that is no *codec.DecodeError, have %v", tt.v, err)
		}
	}
}

func TestStructsInArrays(t *testing.T) {
	t.Parallel()
	type point struct {
		_msgpack struct{} `msgpack:",as_array"` //nolint:unused // the library reads its tag
		X, Y     int
	}
	want := point{X: 1, Y: 2}
	data, err := msgpack.New().Append(nil, want)
	if err != nil || string(data) != "\x92\x01\x02" {
		t.Fatalf("want an array, have %q, %v", data, err)
	}
	var have point
	if err := msgpack.New().Decode(data, &have); err != nil || have != want {
		t.Errorf("want %v, have %v, %v", want, have, err)
	}
	err = msgpack.New().Decode([]byte("\x92\x01\xa1x"), &have)
	if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Path != "[1]" {
		t.Errorf("want an error at [1], have %v", err)
	}
}

func TestEverythingComesBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	want := everything{
		Int8: math.MinInt8, Int: math.MinInt, Uint64: math.MaxUint64, Float32: 1.5, Float64: 1e300, Bool: true, Text: "ü", Bytes: []byte{0xFF},
		ID: [4]byte{1, 2, 3, 4}, Pair: [2]int{5, 6}, Time: now, Ptr: &now, Addr: netip.IPv6Loopback(), Addrs: []netip.Addr{netip.IPv6Loopback()},
		Any: []any{"a", nil, true, now, map[string]any{"t": now}}, Texts: map[string]string{"k": "v"}, Anys: map[string]any{"k": []any{"x"}}, Mixed: map[any]int{"a": 1},
		Self: &everything{Int: 2, Time: now}, List: []everything{{Time: now}, {Int: 3, Time: now}}, embedded: embedded{Inner: 4, Deep: Deep{Count: 5}},
	}
	data, err := msgpack.New().Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	have := everything{}
	if err := msgpack.New().Decode(data, &have); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v\nhave %+v", want, have)
	}
}

func TestTimesComeBackInUTCWhereverTheyAre(t *testing.T) {
	t.Parallel()
	type stamped struct {
		embedded
		Pointers map[string]*time.Time
		Values   map[float64]time.Time
		Lists    [2][]time.Time
		Anys     map[string]any
		Next     *stamped
		Kept     *time.Time `json:"-"`
	}
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, berlin)
	send := stamped{
		Pointers: map[string]*time.Time{"a": &now, "b": nil}, Values: map[float64]time.Time{1: now, math.NaN(): now},
		Lists: [2][]time.Time{{now, now}, {now}}, Anys: map[string]any{"a": []any{now, []any{now, 1}}, "b": nil, "c": &now},
	}
	data, err := msgpack.New().Append(nil, &send)
	if err != nil {
		t.Fatal(err)
	}
	kept := now
	have := &stamped{Kept: &kept}
	have.Next = have // it must not be followed for ever
	data = bytes.Replace(data, []byte("\xa4Next\xc0"), []byte("\xa4Next\x80"), 1)
	if err := msgpack.New().Decode(data, have); err != nil {
		t.Fatal(err)
	}
	utc := now.UTC()
	list, _ := have.Anys["a"].([]any)
	for i, v := range []any{
		*have.Pointers["a"], have.Values[1], have.Lists[0][1], have.Lists[1][0], have.Anys["c"], list[0], list[1].([]any)[0], //nolint:forcetypeassert // it would be seen
	} {
		if v != utc {
			t.Errorf("%d: want %v, have %v", i, utc, v)
		}
	}
	if kept != now {
		t.Errorf("want what the document cannot reach as it was, have %v", kept)
	}
}

func TestOptionsAreValidated(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]msgpack.Option{
		"depth 0": msgpack.MaxDepth(0), "depth 10001": msgpack.MaxDepth(10_001), "elements 0": msgpack.MaxElements(0), "nil": nil,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: want a panic", name)
				}
			}()
			msgpack.New(option)
		}()
	}
}

func TestAppendCostsNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c, v := msgpack.New(), &codectest.Item{Name: "stone", Price: 3}
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Append(dst, v) }); n > 0 {
		t.Errorf("want 0 allocations, have %v", n)
	}
}

func FuzzDecode(f *testing.F) {
	c := msgpack.New()
	for _, v := range []any{everything{}, everything{List: make([]everything, 2), Any: []any{map[string]any{"a": 1.5, "b": time.Now()}}}, codectest.Order{}} {
		data, err := c.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x81\xa4anys\xd6\xff\xdf\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, into := range []any{everything{}, any(nil), []any{}, map[string]int{}, map[any]any{}, [][]string{}, []time.Time{}, [2]any{}} {
			first := reflect.New(reflect.TypeOf(&into).Elem())
			if into != nil {
				first = reflect.New(reflect.TypeOf(into))
			}
			again := reflect.New(first.Type().Elem())
			if c.Decode(data, first.Interface()) != nil {
				continue
			}
			once, err := c.Append(nil, first.Interface())
			if err != nil {
				t.Fatalf("%T: encode what was decoded: %v", into, err)
			}
			if err := c.Decode(once, again.Interface()); err != nil {
				t.Fatalf("%T: decode %q: %v", into, once, err)
			}
			if twice, err := c.Append(nil, again.Interface()); err != nil || len(once) != len(twice) || !hasMap(into) && !bytes.Equal(once, twice) {
				t.Errorf("%T: want %q, have %q, %v", into, once, twice, err)
			}
		}
	})
}

// hasMap reports whether v has maps that the library does not sort.
func hasMap(v any) bool {
	switch v.(type) {
	case everything, map[string]int, map[any]any:
		return true
	}
	return false
}

func BenchmarkOrder(b *testing.B) {
	c := msgpack.New()
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
}
