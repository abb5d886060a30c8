package json_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/json"
)

func nested(depth int) codectest.Document {
	data := append(bytes.Repeat([]byte(`{"next":`), depth-1), "{}"...)
	return codectest.Document{Data: append(data, bytes.Repeat([]byte("}"), depth-1)...), Into: new(codectest.Node)}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	h := codectest.Harness{
		MaxSkipped: 10_000,
		Malformed: []codectest.Document{
			{Name: "a name without quotes", Data: []byte(`{id:"1"}`)},
			{Name: "a comma too many", Data: []byte(`{"id":"1",}`)},
			{Name: "text that is not UTF-8", Data: []byte("{\"id\":\"\xff\"}")},
			{Name: "a member twice", Data: []byte(`{"id":"1","id":"2"}`)},
			{Name: "half a surrogate pair", Data: []byte(`{"id":"\ud800"}`)},
			{Name: "white space alone", Data: []byte(" \n")},
			{Name: "not JSON at all", Data: []byte("<order/>")},
		},
		Trailing: []string{"x", "{}", ",", "]", "}", "\x00", " 1", "//"},
		WrongType: []codectest.Document{
			{Name: "a price in words", Data: []byte(`{"items":[{},{},{},{"price":"cheap"}]}`), Path: "items[3].price"},
			{Name: "an array for an object", Data: []byte(`[]`)},
		},
		Deep:        nested,
		Unencodable: []any{complex(1, 2), durationpb.New(1)},
	}
	for name, c := range map[string]struct {
		codec *json.Codec
		depth int
	}{
		"default":  {json.New(), json.DefaultMaxDepth},
		"shallow":  {json.New(json.MaxDepth(8)), 8},
		"deepest":  {json.New(json.MaxDepth(10_000)), 10_000},
		"indented": {json.New(json.Options(jsontext.Multiline(true))), json.DefaultMaxDepth},
		"with unmarshalers": {json.New(json.Options(v2.WithUnmarshalers(v2.UnmarshalFromFunc(
			func(*jsontext.Decoder, *time.Month) error { return nil })))), json.DefaultMaxDepth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h
			h.Codec, h.MaxDepth = c.codec, c.depth
			codectest.Run(t, h)
		})
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	type named struct {
		Name string            `json:"name"`
		Tags []string          `json:"tags"`
		Meta map[string]string `json:"meta"`
		None *int              `json:"none,omitzero"`
	}
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"nil slices and maps are empty": {named{Name: "a"}, `{"name":"a","tags":[],"meta":{}}`},
		"keys are sorted":               {map[string]int{"c": 3, "a": 1, "b": 2}, `{"a":1,"b":2,"c":3}`},
		"integers as keys are sorted":   {map[int]int{10: 1, 9: 2}, `{"10":1,"9":2}`},
		"HTML is not escaped":           {"<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		"nothing":                       {nil, "null"},
		"a nil pointer":                 {(*named)(nil), "null"},
		"bytes":                         {[]byte{1, 2, 255}, `"AQL/"`},
		"a large integer":               {int64(math.MaxInt64), "9223372036854775807"},
		"a time":                        {time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, room := range []int{0, 1000} {
				have, err := json.New().Append(make([]byte, 0, room), c.value)
				if err != nil {
					t.Fatal(err)
				}
				if want := c.want; string(have) != want {
					t.Errorf("room %d: want %s, have %s", room, want, have)
				}
			}
		})
	}
}

func TestEqualMapsHaveEqualEncodings(t *testing.T) {
	t.Parallel()
	c, m := json.New(), make(map[string]int)
	for i := range 100 {
		m[strings.Repeat("x", i)] = i
	}
	want, err := c.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if have, _ := c.Append(nil, m); !bytes.Equal(want, have) {
			t.Fatalf("want %s, have %s", want, have)
		}
	}
}

func TestAppendRefusesWhatJSONCannotSay(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"NaN":      math.NaN(),
		"infinity": []float64{1, math.Inf(1)},
		"bad text": "\xff",
		"duration": time.Second,
	} {
		if have, err := json.New().Append(nil, v); err == nil {
			t.Errorf("%s: want an error, have %s", name, have)
		}
	}
}
