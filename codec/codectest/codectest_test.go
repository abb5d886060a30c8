package codectest_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	v2 "github.com/go-json-experiment/json"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/json"
)

func harness(c codec.Codec) codectest.Harness {
	return codectest.Harness{
		Codec:      c,
		MaxDepth:   json.DefaultMaxDepth,
		MaxSkipped: 10_000,
		Malformed:  []codectest.Document{{Name: "a name without quotes", Data: []byte(`{id:1}`)}},
		Trailing:   []string{"x", "{}"},
		Deep: func(depth int) codectest.Document {
			data := append(bytes.Repeat([]byte(`{"next":`), depth-1), "{}"...)
			return codectest.Document{Data: append(data, bytes.Repeat([]byte("}"), depth-1)...), Into: new(codectest.Node)}
		},
	}
}

func TestASoundCodecPasses(t *testing.T) {
	t.Parallel()
	if err := codectest.Test(harness(json.New())); err != nil {
		t.Error(err)
	}
	codectest.Run(t, harness(json.New()))
}

// broken is JSON, except where a function is set.
type broken struct {
	types  func() []string
	encode func(dst []byte, v any) ([]byte, error)
	decode func(data []byte, v any) error
}

func (b broken) ContentTypes() []string {
	if b.types != nil {
		return b.types()
	}
	return sound.ContentTypes()
}

func (b broken) Append(dst []byte, v any) ([]byte, error) {
	if b.encode != nil {
		return b.encode(dst, v)
	}
	return sound.Append(dst, v)
}

func (b broken) Decode(data []byte, v any) error {
	if b.decode != nil {
		return b.decode(data, v)
	}
	return sound.Decode(data, v)
}

var sound = json.New()

// lenient returns a codec that lets through what the sound one refuses if is says so.
func lenient(is func(data []byte, problem string) bool) broken {
	return broken{decode: func(data []byte, v any) error {
		err := sound.Decode(data, v)
		if de, ok := errors.AsType[*codec.DecodeError](err); ok && is(data, de.Problem) {
			return nil
		}
		return err
	}}
}

// changed returns a codec with other decode errors.
func changed(change func(e *codec.DecodeError) error) broken {
	return broken{decode: func(data []byte, v any) error {
		err := sound.Decode(data, v)
		if de, ok := errors.AsType[*codec.DecodeError](err); ok {
			return change(de)
		}
		return err
	}}
}

func says(text string) func([]byte, string) bool {
	return func(_ []byte, problem string) bool { return strings.Contains(problem, text) }
}

// Each codec breaks one clause of the contract, and the check of that name must notice.
func brokenCodecs() map[string]map[string]codec.Codec {
	var (
		shared  []byte
		mu      sync.Mutex
		calls   int
		current any
	)
	return map[string]map[string]codec.Codec{
		"ContentTypes": {
			"none":       broken{types: func() []string { return nil }},
			"upper case": broken{types: func() []string { return []string{"Application/JSON"} }},
			"parameters": broken{types: func() []string { return []string{"application/json; charset=utf-8"} }},
			"no subtype": broken{types: func() []string { return []string{"json"} }},
			"changing": broken{types: func() []string {
				mu.Lock()
				defer mu.Unlock()
				calls++
				return []string{fmt.Sprintf("application/json%d", calls)}
			}},
			"twice": broken{types: func() []string { return []string{"application/json", "application/json"} }},
		},
		"RoundTrip": {
			"loses text that is not ASCII": broken{encode: func(dst []byte, v any) ([]byte, error) {
				data, err := sound.Append(nil, v)
				return append(dst, bytes.ReplaceAll(data, []byte("世"), []byte("?"))...), err
			}},
			"64-bit floats": broken{decode: func(data []byte, v any) error {
				return sound.Decode(bytes.ReplaceAll(data, []byte("9223372036854775807"), []byte("9223372036854774784")), v)
			}},
		},
		"AppendValue": {"values in a list": broken{encode: func(dst []byte, v any) ([]byte, error) {
			if flat, ok := v.(codectest.Flat); ok {
				v = []codectest.Flat{flat}
			}
			return sound.Append(dst, v)
		}}},
		"AppendAgain": {
			"numbers its documents": broken{encode: func(dst []byte, v any) ([]byte, error) {
				data, err := sound.Append(nil, v)
				mu.Lock()
				defer mu.Unlock()
				calls++
				return append(dst, bytes.Replace(data, []byte("with a note"), fmt.Appendf(nil, "note %d", calls), 1)...), err
			}},
			"maps in any order": json.New(json.Options(v2.Deterministic(false))),
		},
		"AppendPrefix": {
			"replaces": broken{encode: func(dst []byte, v any) ([]byte, error) { return sound.Append(dst[:0], v) }},
			"replaces where there is room": broken{encode: func(dst []byte, v any) ([]byte, error) {
				if cap(dst) > 1000 {
					dst = dst[:0]
				}
				return sound.Append(dst, v)
			}},
		},
		"AppendError": {
			"no error": broken{encode: func(dst []byte, v any) ([]byte, error) {
				if out, err := sound.Append(dst, v); err == nil {
					return out, nil
				}
				return append(dst, "null"...), nil
			}},
			"returns nil": broken{encode: func(dst []byte, v any) ([]byte, error) {
				out, err := sound.Append(dst, v)
				if err != nil {
					return nil, err
				}
				return out, nil
			}},
			"returns a part": broken{encode: func(dst []byte, v any) ([]byte, error) {
				out, err := sound.Append(dst, v)
				if err != nil {
					return append(out, `{"name":`...), err
				}
				return out, nil
			}},
		},
		"AppendOwned": {"one buffer for all": broken{encode: func(dst []byte, v any) ([]byte, error) {
			if len(dst) > 0 {
				return sound.Append(dst, v)
			}
			mu.Lock()
			defer mu.Unlock()
			if shared == nil {
				shared = make([]byte, 0, 10_000)
			}
			return sound.Append(shared[:0], v)
		}}},
		"DecodeMalformed": {
			"accepts it":    lenient(says("invalid JSON")),
			"another error": changed(func(e *codec.DecodeError) error { return errors.New(e.Error()) }),
			"no problem":    changed(func(*codec.DecodeError) error { return &codec.DecodeError{} }),
		},
		"DecodeTruncated": {"accepts it": lenient(says("too early"))},
		"DecodeEmpty": {
			"accepts nil":   lenient(func(data []byte, _ string) bool { return data == nil }),
			"accepts empty": lenient(func(data []byte, _ string) bool { return data != nil && len(data) == 0 }),
		},
		"DecodeTrailing": {
			"ignores anything": lenient(says("after top-level")),
			"ignores a second document": lenient(func(data []byte, problem string) bool {
				return data[len(data)-1] == '}' && says("after top-level")(data, problem)
			}),
		},
		"DecodeWrongType": {
			"accepts it": lenient(says("want an integer")),
			"no path":    changed(func(e *codec.DecodeError) error { return &codec.DecodeError{Problem: e.Problem} }),
			"JSON pointer": changed(func(e *codec.DecodeError) error {
				return &codec.DecodeError{Problem: e.Problem, Path: "/items/3/price"}
			}),
		},
		"DecodeDeep": {
			"no limit":                     json.New(json.MaxDepth(10_000)),
			"a lower limit":                json.New(json.MaxDepth(json.DefaultMaxDepth - 1)),
			"no limit for what is skipped": lenient(says("max depth")),
		},
		"DecodeProblem": {
			"the error of the library": changed(func(e *codec.DecodeError) error {
				return &codec.DecodeError{Path: e.Path, Problem: "cannot unmarshal JSON string into Go int within /items/3/price"}
			}),
			"a package's type": changed(func(e *codec.DecodeError) error {
				return &codec.DecodeError{Path: e.Path, Problem: "no shop.Order"}
			}),
			"a path of Go": changed(func(e *codec.DecodeError) error {
				return &codec.DecodeError{Path: "codectest.Order.Items", Problem: e.Problem}
			}),
		},
		"DecodeTarget": {
			"the sender's fault": broken{decode: func(data []byte, v any) error {
				if err := sound.Decode(data, v); err != nil {
					if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
						return &codec.DecodeError{Problem: "wrong"}
					}
					return err
				}
				return nil
			}},
			"no error": broken{decode: func(data []byte, v any) error {
				err := sound.Decode(data, v)
				if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
					return nil
				}
				return err
			}},
		},
		"DecodeData": {
			"texts that are views": broken{decode: func(data []byte, v any) error {
				if err := sound.Decode(data, v); err != nil {
					return err
				}
				if s, ok := v.(*string); ok {
					*s = unsafe.String(&data[1], len(*s))
				}
				return nil
			}},
			"changes data": broken{decode: func(data []byte, v any) error {
				err := sound.Decode(data, v)
				if err == nil {
					data[0] = ' '
				}
				return err
			}},
		},
		"Concurrent": {"mixes up its callers": broken{decode: func(data []byte, v any) error {
			mu.Lock()
			current = v
			mu.Unlock()
			runtime.Gosched()
			if err := sound.Decode(data, v); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if current != v {
				return errors.New("somebody else came")
			}
			return nil
		}}},
	}
}

func TestEachClauseRejectsACodecThatBreaksIt(t *testing.T) {
	t.Parallel()
	all := brokenCodecs()
	for _, check := range codectest.Checks() {
		if len(all[check]) == 0 {
			t.Errorf("no codec breaks the clause of %s", check)
		}
	}
	for check, codecs := range all {
		for name, c := range codecs {
			t.Run(check+"/"+name, func(t *testing.T) {
				t.Parallel()
				if err := codectest.RunCheck(check, harness(c)); err == nil {
					t.Error("it passes")
				} else if strings.Contains(err.Error(), "incomplete") {
					t.Error(err)
				}
			})
		}
	}
}

func TestAViolationPrintsItsClause(t *testing.T) {
	t.Parallel()
	err := codectest.Test(harness(brokenCodecs()["DecodeEmpty"]["accepts nil"]))
	violation, ok := errors.AsType[*codectest.Violation](err)
	if !ok || violation.Check != "DecodeEmpty" || !strings.Contains(err.Error(), "DecodeEmpty: nil: ") || !strings.Contains(err.Error(), "no data, since that is no document") {
		t.Errorf("have %v", err)
	}
}

func TestAHarnessMustBeComplete(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(h *codectest.Harness){
		"no codec":       func(h *codectest.Harness) { h.Codec = nil },
		"malformed":      func(h *codectest.Harness) { h.Malformed = nil },
		"trails":         func(h *codectest.Harness) { h.Trailing = nil },
		"needs a sample": func(h *codectest.Harness) { h.Without = codectest.Values },
		"the wrong type": func(h *codectest.Harness) { h.Without = codectest.Nesting },
		"no document of 129 levels": func(h *codectest.Harness) {
			h.Deep = func(depth int) codectest.Document { return codectest.Document{Data: make([]byte, max(0, 129-depth))} }
		},
	} {
		h := harness(json.New())
		change(&h)
		if err := codectest.Test(h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
}
