package json_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

func TestDepthIsCountedWhereAnUnmarshalerMayReadAnything(t *testing.T) {
	t.Parallel()
	skip := func(dec *jsontext.Decoder, _ *time.Month) error { return dec.SkipValue() }
	c := json.New(json.MaxDepth(3), json.Options(v2.WithUnmarshalers(v2.UnmarshalFromFunc(skip))))
	for data, want := range map[string]bool{`{"Month":[[1]]}`: true, `{"Month":[[[1]]]}`: false} {
		err := c.Decode([]byte(data), &struct{ Month time.Month }{})
		if _, ok := errors.AsType[*codec.DecodeError](err); ok == want {
			t.Errorf("%s: want accepted %t, have %v", data, want, err)
		}
	}
}

func TestDepthIsCountedInWhateverIsBuilt(t *testing.T) {
	t.Parallel()
	const limit = 3
	type tree struct {
		Children []tree         `json:"children"`
		Any      any            `json:"any"`
		Map      map[string]any `json:"map"`
		Text     string         `json:"text"`
	}
	many := strings.Repeat(`{"text":""},`, 100)
	for name, c := range map[string]struct {
		data string
		v    any
		deep bool
	}{
		"arrays in anything":       {`[[[1]]]`, new(any), false},
		"too many of them":         {`[[[[1]]]]`, new(any), true},
		"anything in a struct":     {`{"any":[[1]]}`, new(tree), false},
		"too deep in a struct":     {`{"any":[[[1]]]}`, new(tree), true},
		"a map":                    {`{"map":{"a":{"b":{}}}}`, new(tree), true},
		"a type that holds itself": {`{"children":[{"children":[]}]}`, new(tree), true},
		"many side by side":        {`[` + many + `[[1]]]`, new(any), false},
		"one of many":              {`[` + many + `[[[1]]]]`, new(any), true},
		"brackets in a text":       {`[` + many + `"[[[[{{{{"]`, new(any), false},
		"escapes in a text":        {`[` + many + `"\\\"[[[[", "\\", [[1]]]`, new(any), false},
		"closed in a text":         {`[` + many + `"]]]]", [[[1]]]]`, new(any), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := json.New(json.MaxDepth(limit)).Decode([]byte(c.data), c.v)
			de, _ := errors.AsType[*codec.DecodeError](err)
			if want, have := c.deep, de != nil && de.Problem == "nested deeper than 3 levels"; want != have || !want && err != nil {
				t.Errorf("want too deep: %t, have %v", want, err)
			}
		})
	}
}

func TestElementsAreLimitedInTheWholeDocument(t *testing.T) {
	t.Parallel()
	const limit = 4
	long := strings.Repeat("x", 100) // or the document is too short to have as many
	for data, want := range map[string]bool{
		`[1,2,3,4]`:                              true,
		`[1,2,3,4,5]`:                            false,
		`[[],[],[ ],{}]`:                         true,
		`[[],[],[ ],{},{}]`:                      false,
		`[[1],[2]]`:                              true,
		`[[1],[2],[]]`:                           false,
		`[[1],[2,3]]`:                            false,
		`[ [ [ [ [] ] ] ] ]`:                     true,
		`[ [ [ [ [ [] ] ] ] ] ]`:                 false,
		`{"a":1,"b":2,"c":3,"d":{}}`:             true,
		`{"a":1,"b":2,"c":3,"d":{"e":1}}`:        false,
		`["` + long + `,[,{,[,[,[",1,2,3]`:       true,
		`["` + long + `\",[,{,[,[,[",1,2,3]`:     true,
		`["` + long + `",2,3,4,5]`:               false,
		`["` + long + `\\",",",",",",",",",","]`: false,
		`{"other":[1,2,3,4,5,6,7,8]}`:            false,
	} {
		err := json.New(json.MaxElements(limit)).Decode([]byte(data), new(any))
		de, _ := errors.AsType[*codec.DecodeError](err)
		if have := err == nil; want != have || !want && (de == nil || de.Problem != "want at most 4 elements") {
			t.Errorf("%s: want accepted %t, have %v", data, want, err)
		}
	}
}

func TestADocumentOfTinyElementsDoesNotFillTheMemory(t *testing.T) {
	t.Parallel()
	data := []byte("[" + strings.Repeat("{},", 1<<20/3) + "{}]")
	if _, ok := errors.AsType[*codec.DecodeError](json.New().Decode(data, new([]struct{ Large [64]int64 }))); !ok {
		t.Error("want it refused")
	}
	if err := json.New(json.MaxElements(1<<20)).Decode(data, new([]struct{ A int })); err != nil {
		t.Error(err)
	}
}

// FuzzElements compares the limit with what decoding into anything really builds.
func FuzzElements(f *testing.F) {
	for _, s := range []string{`[[],[ ],[1,2]]`, `{"a":{"b":["\"]",{}]}}`, `["\\",[[]]]`, `[1,"[,,,",3,4,5]`, `{"]":[1,2,{"a":1}]}`} {
		f.Add([]byte(s))
	}
	const limit = 4
	limited, free := json.New(json.MaxElements(limit)), json.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if free.Decode(data, &v) != nil {
			return
		}
		if want, have := elements(v) <= limit, limited.Decode(data, new(any)) == nil; want != have {
			t.Errorf("%q has %d elements: want accepted %t, have %t", data, elements(v), want, have)
		}
	})
}

func elements(v any) (n int) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += 1 + elements(e)
		}
	case map[string]any:
		for _, e := range v {
			n += 1 + elements(e)
		}
	}
	return n
}

// FuzzDepth compares the limit with what decoding into anything really builds.
func FuzzDepth(f *testing.F) {
	for _, s := range []string{`[[[[]]]]`, `{"a":{"b":["\"]",{}]}}`, `["\\",[[]]]`, `{}`, `[{"]":[[[[1]]]]}]`} {
		f.Add([]byte(s))
	}
	const limit = 4
	limited, free := json.New(json.MaxDepth(limit)), json.New(json.MaxDepth(10_000))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if free.Decode(data, &v) != nil {
			return
		}
		if want, have := depth(v) <= limit, limited.Decode(data, new(any)) == nil; want != have {
			t.Errorf("%q has depth %d: want accepted %t, have %t", data, depth(v), want, have)
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case map[string]any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	default:
		return 0
	}
	return deepest + 1
}

// FuzzDecode checks that any failure is a proper DecodeError, and that what was understood survives a round trip.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"items":[{"price":1}]}`, `{"byName":{"a.b":{"price":"x"}}}`, `{"any":[[[0`, "{\"text\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	c := json.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		v := new(document)
		if err := c.Decode(data, v); err != nil {
			de, ok := errors.AsType[*codec.DecodeError](err)
			if !ok || de.Problem == "" || len(de.Path) > 2*1024 {
				t.Fatalf("%q: have %T %v", data, err, err)
			}
			return
		}
		out, err := c.Append(nil, v)
		if err != nil {
			t.Fatalf("%q was decoded but cannot be encoded: %v", data, err)
		}
		if err := c.Decode(out, new(document)); err != nil {
			t.Fatalf("%q became %q: %v", data, out, err)
		}
	})
}
