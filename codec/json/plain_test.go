package json_test

import (
	"bytes"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/codec/json"
)

type (
	grade   int8
	shout   string
	whisper string
	never   struct{ N int }
	cyclic  struct{ Next []*cyclic }
	inner   struct{ A, B int }
	hidden  struct{ a int } //nolint:unused // that is the point
)

func (g grade) String() string                  { return "not for JSON" }
func (s shout) MarshalText() ([]byte, error)    { return bytes.ToUpper([]byte(s)), nil }
func (w *whisper) MarshalJSON() ([]byte, error) { return []byte(`"psst"`), nil }
func (never) IsZero() bool                      { return true }

// plainest has all that is encoded without the library.
type plainest struct {
	Bool    bool
	Int     int
	Int8    int8
	Grade   grade
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint64  uint64
	Float32 float32   `json:"f32"`
	Float64 float64   `json:"f64"`
	Text    string    `json:"text,omitzero"`
	Time    time.Time `json:",omitzero"`
	Same    time.Time `json:"same"`
	Skipped string    `json:"-"`
	Ptr     *inner    `json:"ptr,omitzero"`
	PtrPtr  **int     `json:"ptrptr"`
	Inner   inner     `json:"inner,omitzero"`
	Inners  []inner   `json:"inners"`
	Texts   []string  `json:"texts,omitzero"`
	Lists   [][]int
	private int
}

// asLibrary compares the encoding of v, errors included, with that of the library.
func asLibrary(t *testing.T, v any) {
	t.Helper()
	want, wantErr := json.New(json.Options(jsontext.EscapeForHTML(false))).Append(nil, v)
	for _, room := range []int{0, 10_000} {
		have, haveErr := json.New().Append(make([]byte, 0, room), v)
		if string(want) != string(have) || (wantErr == nil) != (haveErr == nil) {
			t.Errorf("%T:\nwant %s, %v\nhave %s, %v", v, want, wantErr, have, haveErr)
		}
	}
}

func TestPlainTypesAreEncodedAsTheLibraryDoes(t *testing.T) {
	t.Parallel()
	n := 7
	p := &n
	for _, v := range []any{
		&plainest{}, plainest{}, (*plainest)(nil), &[]plainest{{}, {}}, []*plainest{nil, {}},
		&plainest{
			Bool: true, Int: -1, Int8: math.MinInt8, Grade: 3, Int64: math.MinInt64, Uint: 1, Uint8: 255, Uint64: math.MaxUint64,
			Float32: 0.1, Float64: 1e-7, Text: "<\u2028>", Time: time.Now(), Same: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3723)),
			Skipped: "x", Ptr: &inner{}, PtrPtr: &p, Inner: inner{1, 2}, Inners: []inner{{}, {3, 4}}, Texts: []string{}, Lists: [][]int{nil, {}, {1, 2}},
			private: 1,
		},
		true, 1, grade(2), uint8(3), float32(1.5), "text", p, &p, []string(nil), []inner{}, time.Now(), new(time.Time),
		// What follows is the library's.
		nil, "\xff", []string{"a", "\xff"}, math.NaN(), []float64{1, math.Inf(-1)}, math.Copysign(0, -1),
		time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 86400)), time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", -86399)),
		[]byte{1}, []uint8{}, [2]int{1, 2}, map[string]int{"a": 1}, []any{1, "a"}, time.Second, []time.Duration{1},
		shout("a"), []shout{"a"}, new(whisper), struct{ W whisper }{}, []whisper{"a"}, netip.IPv4Unspecified(),
		&cyclic{Next: []*cyclic{nil, {}}}, hidden{}, &hidden{}, struct{}{}, []struct{}{{}}, complex(1, 2),
		struct{ inner }{inner{1, 2}}, &struct{ *inner }{}, struct {
			A int `json:"a,string"`
		}{1},
		struct {
			A string `json:"a,omitempty"`
			B []int  `json:",omitempty"`
		}{},
		struct {
			N never `json:",omitzero"`
		}{},
		struct {
			A int `json:"'with space'"`
		}{},
		struct {
			A int `json:"with-dash"`
		}{},
		struct {
			A int `json:"a,unknown"`
		}{},
		struct {
			A []byte
			B struct{ C chan int }
		}{},
	} {
		asLibrary(t, v)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add(true, int64(-1), uint64(1), 0.1, float32(1e21), "text\n\u2028\"<", int64(1), 3600)
	f.Add(false, int64(1), uint64(0), 1e-7, float32(1e-6), "\xff", int64(1<<60), -86400)
	f.Fuzz(func(t *testing.T, b bool, i int64, u uint64, f64 float64, f32 float32, s string, sec int64, zone int) {
		at := time.Unix(sec, i&0xFFFF).In(time.FixedZone("", zone%100_000))
		asLibrary(t, &plainest{
			Bool: b, Int: int(i), Int8: int8(i), Grade: grade(u), Int64: i, Uint: uint(u), Uint8: uint8(i), Uint64: u, Float32: f32, Float64: f64,
			Text: s, Time: at, Inner: inner{A: int(i)}, Inners: make([]inner, u%3), Texts: []string{s, s}, Lists: [][]int{{int(u)}},
		})
	})
}
