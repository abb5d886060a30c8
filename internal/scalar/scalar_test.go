package scalar_test

import (
	"errors"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/scalar"
)

type (
	size     int8
	name     string
	flags    []byte
	grade    byte // has a text of its own
	upper    string
	stubborn struct{}
)

func (g *grade) UnmarshalText(text []byte) error {
	if len(text) != 1 || text[0] < 'A' || text[0] > 'F' {
		return errors.New("scalar_test.grade: out of range")
	}
	*g = grade(text[0])
	return nil
}

func (g grade) MarshalText() ([]byte, error) { return []byte{byte(g)}, nil }

func (u *upper) UnmarshalText(text []byte) error {
	*u = upper(strings.ToUpper(string(text)))
	return nil
}

func (stubborn) MarshalText() ([]byte, error) { return nil, errors.New("no") }

// set stores text in a new value of want's type.
func set(t *testing.T, typ reflect.Type, text string) (reflect.Value, error) {
	t.Helper()
	setter, ok := scalar.For(typ)
	if !ok {
		t.Fatalf("For(%v): not a scalar", typ)
	}
	v := reflect.New(typ).Elem()
	return v, setter(v, text)
}

func TestSetterStoresWhatTheTextSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want any
	}{
		{"", ""},
		{"Grüße", "Grüße"},
		{"x", name("x")},
		{"true", true},
		{"0", false},
		{"-128", size(-128)},
		{"+7", 7},
		{"9223372036854775807", int64(1<<63 - 1)},
		{"255", uint8(255)},
		{"18446744073709551615", uint64(1<<64 - 1)},
		{"1.5", float32(1.5)},
		{"-2e3", float64(-2000)},
		{"2026-01-02T03:04:05.6Z", time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC)},
		{"1.5s", 1500 * time.Millisecond},
		{"-_8", []byte{0xfb, 0xff}},
		{"+/8=", flags{0xfb, 0xff}},
		{"C", grade('C')},
		{"loud", upper("LOUD")},
		{"::1", netip.IPv6Loopback()},
		{"5", new(5)},
		{"B", new(grade('B'))},
		{"123456789012345678901234567890", func() any { n, _ := new(big.Int).SetString("123456789012345678901234567890", 10); return n }()},
	} {
		v, err := set(t, reflect.TypeOf(tt.want), tt.text)
		if have := v.Interface(); err != nil || !reflect.DeepEqual(tt.want, have) {
			t.Errorf("%q as %T: want %v, have %v, %v", tt.text, tt.want, tt.want, have, err)
		}
	}
}

func TestErrorsSayWhatIsWantedAndNameNoType(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 1000)
	for _, tt := range []struct {
		typ        any
		text, want string
	}{
		{0, "abc", `want an integer, have "abc"`},
		{0, "", `want an integer, have ""`},
		{0, "1.0", `want an integer, have "1.0"`},
		{0, "+-1", `want an integer, have "+-1"`},
		{0, "0x10", `want an integer, have "0x10"`},
		{size(0), "300", `want an integer from -128 to 127, have 300`},
		{int64(0), "9223372036854775808", `want an integer from -9223372036854775808 to 9223372036854775807, have 9223372036854775808`},
		{uint16(0), "-1", `want an integer from 0 to 65535, have -1`},
		{uint64(0), strings.Repeat("9", 100), `want an integer from 0 to 18446744073709551615, have ` + strings.Repeat("9", 48) + "..."},
		{0.0, "much", `want a number, have "much"`},
		{0.0, "NaN", `want a number, have "NaN"`},
		{0.0, "-Inf", `want a number, have "-Inf"`},
		{0.0, "0x1p4", `want a number, have "0x1p4"`},
		{float32(0), "1e39", `want a number that fits in 32 bits, have 1e39`},
		{false, "yes", `want true or false, have "yes"`},
		{"", "\xff", `want UTF-8 text, have "\xff"`},
		{time.Time{}, "yesterday", `want a time as of RFC 3339, have "yesterday"`},
		{time.Second, "5", `want a duration such as 1.5s, have "5"`},
		{[]byte{}, "!", `want base64, have "!"`},
		{grade(0), "Z", `not a valid value: "Z"`},
		{new(0), "x", `want an integer, have "x"`},
		{0, long, `want an integer, have "` + strings.Repeat("ü", 24) + `..."`},
	} {
		v, err := set(t, reflect.TypeOf(tt.typ), tt.text)
		e, ok := errors.AsType[*scalar.Error](err)
		if !ok || e.Error() != tt.want {
			t.Errorf("%q as %T: want %q, have %v", tt.text, tt.typ, tt.want, err)
		}
		if !v.IsZero() {
			t.Errorf("%q as %T: want the value untouched, have %v", tt.text, tt.typ, v)
		}
	}
}

func TestTheCauseStaysInTheTree(t *testing.T) {
	t.Parallel()
	_, err := set(t, reflect.TypeFor[grade](), "Z")
	if cause := errors.Unwrap(err); cause == nil || cause.Error() != "scalar_test.grade: out of range" {
		t.Errorf("want the error of UnmarshalText, have %v", cause)
	}
}

func TestWhatIsNoScalar(t *testing.T) {
	t.Parallel()
	type loop *loop
	for _, typ := range []reflect.Type{
		reflect.TypeFor[struct{}](), reflect.TypeFor[any](), reflect.TypeFor[error](), reflect.TypeFor[[]int](), reflect.TypeFor[[2]byte](),
		reflect.TypeFor[map[string]string](), reflect.TypeFor[**int](), reflect.TypeFor[loop](), reflect.TypeFor[complex128](),
		reflect.TypeFor[func()](), reflect.TypeFor[[]grade](), reflect.TypeFor[uintptr](),
	} {
		if _, ok := scalar.For(typ); ok {
			t.Errorf("For(%v): want false", typ)
		}
		if _, ok := scalar.Format(typ); ok {
			t.Errorf("Format(%v): want false", typ)
		}
	}
}

func TestAPresentPointerIsItsOwn(t *testing.T) {
	t.Parallel()
	shared := 1
	p := &shared
	setter, _ := scalar.For(reflect.TypeFor[*int]())
	if err := setter(reflect.ValueOf(&p).Elem(), "2"); err != nil || *p != 2 {
		t.Fatalf("want 2, have %v, %v", *p, err)
	}
	if shared != 1 {
		t.Errorf("want what was pointed to before untouched, have %d", shared)
	}
}

func TestSliceSetterReplaces(t *testing.T) {
	t.Parallel()
	have := []int{7, 8, 9}
	setter, ok := scalar.ForSlice(reflect.TypeFor[[]int]())
	if !ok {
		t.Fatal("[]int: want a setter")
	}
	v := reflect.ValueOf(&have).Elem()
	if err := setter(v, []string{"1", "2"}); err != nil || !reflect.DeepEqual([]int{1, 2}, have) {
		t.Errorf("want [1 2], have %v, %v", have, err)
	}
	err := setter(v, []string{"3", "x"})
	if e, ok := errors.AsType[*scalar.Error](err); !ok || e.Index != 1 {
		t.Errorf("want an error at index 1, have %#v", err)
	}
	if !reflect.DeepEqual([]int{1, 2}, have) {
		t.Errorf("want the slice untouched after an error, have %v", have)
	}
	for typ, want := range map[reflect.Type]bool{
		reflect.TypeFor[[]byte](): false, reflect.TypeFor[[][]byte](): true, reflect.TypeFor[[]grade](): true, reflect.TypeFor[[]*time.Time](): true,
		reflect.TypeFor[[]struct{}](): false, reflect.TypeFor[[][]int](): false, reflect.TypeFor[int](): false, reflect.TypeFor[[]any](): false,
	} {
		if _, have := scalar.ForSlice(typ); have != want {
			t.Errorf("ForSlice(%v): want %v, have %v", typ, want, have)
		}
	}
}

func TestFormatterWritesWhatTheSetterReads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"a b", "a b"}, {true, "true"}, {size(-3), "-3"}, {uint64(1<<64 - 1), "18446744073709551615"}, {float32(0.1), "0.1"},
		{90 * time.Second, "1m30s"}, {time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), "2026-01-02T03:04:05.000000006Z"},
		{[]byte{0xfb, 0xff}, "-_8"}, {grade('D'), "D"}, {new(5), "5"}, {(*int)(nil), ""}, {netip.IPv6Loopback(), "::1"}, {*big.NewInt(12), "12"},
	} {
		format, ok := scalar.Format(reflect.TypeOf(tt.value))
		if !ok {
			t.Fatalf("Format(%T): not a scalar", tt.value)
		}
		have, err := format([]byte("pre-"), reflect.ValueOf(tt.value))
		if err != nil || string(have) != "pre-"+tt.want {
			t.Errorf("%v (%T): want %q, have %q, %v", tt.value, tt.value, "pre-"+tt.want, have, err)
		}
	}
}

func TestFormatterLeavesDstAfterAnError(t *testing.T) {
	t.Parallel()
	zero := 0.0
	for _, value := range []any{"\xff", zero / zero, 1 / zero, float32(1 / zero), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), stubborn{}} {
		format, ok := scalar.Format(reflect.TypeOf(value))
		if !ok {
			t.Fatalf("Format(%T): not a scalar", value)
		}
		if have, err := format([]byte("pre-"), reflect.ValueOf(value)); err == nil || string(have) != "pre-" {
			t.Errorf("%v (%T): want %q and an error, have %q, %v", value, value, "pre-", have, err)
		}
	}
}

func TestNumbersCostNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var s struct {
		I int
		U uint8
		F float64
		B bool
		D time.Duration
	}
	v := reflect.ValueOf(&s).Elem()
	dst := make([]byte, 0, 64)
	for i, text := range []string{"-12", "255", "1.5", "true", "1.5s"} {
		field := v.Field(i)
		setter, _ := scalar.For(field.Type())
		if n := testing.AllocsPerRun(100, func() { _ = setter(field, text) }); n != 0 {
			t.Errorf("set %v: want 0 allocations, have %v", field.Type(), n)
		}
		format, _ := scalar.Format(field.Type())
		if n := testing.AllocsPerRun(100, func() { _, _ = format(dst, field) }); n != 0 {
			t.Errorf("format %v: want 0 allocations, have %v", field.Type(), n)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for _, tt := range []struct {
		name, text string
		typ        reflect.Type
	}{
		{"int", "123456", reflect.TypeFor[int]()},
		{"string", "some text", reflect.TypeFor[string]()},
		{"time", "2026-01-02T03:04:05.6Z", reflect.TypeFor[time.Time]()},
		{"pointer", "123456", reflect.TypeFor[*int]()},
	} {
		b.Run(tt.name, func(b *testing.B) {
			setter, _ := scalar.For(tt.typ)
			v := reflect.New(tt.typ).Elem()
			b.ReportAllocs()
			for b.Loop() {
				if err := setter(v, tt.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
