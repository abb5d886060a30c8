package form

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/docpath"
	"github.com/ashlar-go/ashlar/internal/scalar"
)

// Decode reads the pairs in data into what v points to. Names that v does not have are passed over, unless RejectUnknown is
// given; fields of v that data does not have stay as they were. If several names fail, the *codec.DecodeError names
// the first 32 of them, and one *codec.DecodeError for each is joined in its Err.
func (c *Codec) Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("form: decoding into %T: want a pointer that is not nil", v)
	}
	p, err := c.plan(target.Type().Elem())
	if err != nil {
		return fmt.Errorf("form: decoding into %T: %w", v, err)
	}
	if len(data) > c.maxSize {
		return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d bytes, have %d", c.maxSize, len(data))}
	}
	r := reader{rejectUnknown: c.rejectUnknown, plan: p, values: make(map[slot][]string)}
	if err := r.read(string(data), c.maxPairs); err != nil {
		return err
	}
	for _, s := range r.order {
		r.store(s, target.Elem())
	}
	return join(r.failed)
}

// slot is a field, or a key of a field that is a map.
type slot struct {
	field *field
	key   string
}

// path puts the path of the slot before rest.
func (s slot) path(rest string) string {
	if s.field.elem == nil {
		return pathOf(s.field.name, rest)
	}
	return pathOf(strings.TrimSuffix(s.field.name, "."), docpath.Member(s.key, rest))
}

// reader collects the values of each slot before it stores them.
type reader struct {
	rejectUnknown bool
	plan          *plan
	values        map[slot][]string
	order         []slot
	failed        []*codec.DecodeError
}

// read splits text. What breaks the syntax ends it.
func (r *reader) read(text string, maxPairs int) error {
	for n := 0; text != ""; {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		if n++; n > maxPairs {
			return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d pairs", maxPairs)}
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := unescape(rawName)
		if err != nil {
			return &codec.DecodeError{Problem: "the name " + scalar.Quote(rawName) + " is not escaped correctly", Err: err}
		}
		value, err := unescape(rawValue)
		if err != nil {
			return &codec.DecodeError{Path: pathOf(name, ""), Problem: "the value is not escaped correctly", Err: err}
		}
		r.add(name, value)
	}
	return nil
}

func (r *reader) add(name, value string) {
	f, key := r.plan.find(name)
	if f == nil {
		if r.rejectUnknown {
			r.fail(func() string { return pathOf(name, "") }, errUnknown)
		}
		return
	}
	s := slot{f, key}
	if _, again := r.values[s]; !again {
		r.order = append(r.order, s)
	}
	r.values[s] = append(r.values[s], value)
}

// store sets what the slot stands for in the struct or map outer.
func (r *reader) store(s slot, outer reflect.Value) {
	v := outer
	for i, index := range s.field.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(index)
	}
	f := s.field
	if f.elem == nil {
		r.set(f, s, v)
		return
	}
	elem := reflect.New(f.elem.typ).Elem()
	if !r.set(f.elem, s, elem) {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(f.typ))
	}
	v.SetMapIndex(reflect.ValueOf(s.key).Convert(f.typ.Key()), elem)
}

// set stores the values of the slot in v, and reports whether they fit.
func (r *reader) set(f *field, s slot, v reflect.Value) bool {
	values, err, rest := r.values[s], error(nil), ""
	switch {
	case f.setAll != nil:
		err = f.setAll(v, values)
		if e, ok := errors.AsType[*scalar.Error](err); ok && len(values) > 1 {
			rest = docpath.Index(e.Index, "")
		}
	case len(values) > 1:
		err = fmt.Errorf("want one value, have %d", len(values))
	case values[0] == "" && f.blank:
		v.SetZero()
	default:
		err = f.set(v, values[0])
	}
	if err != nil {
		r.fail(func() string { return s.path(rest) }, err)
	}
	return err == nil
}

// maxFailed is how many names a DecodeError lists.
const maxFailed = 32

var errUnknown = errors.New("unknown name")

// fail lists a name.
func (r *reader) fail(path func() string, err error) {
	if len(r.failed) < maxFailed {
		r.failed = append(r.failed, &codec.DecodeError{Path: path(), Problem: err.Error(), Err: err})
	}
}

// join returns nil for no failure, the failure for one, and all in one for several.
func join(failed []*codec.DecodeError) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	texts, errs := make([]string, len(failed)), make([]error, len(failed))
	for i, e := range failed {
		texts[i], errs[i] = e.Error(), e
	}
	return &codec.DecodeError{Problem: strings.Join(texts, "; "), Err: errors.Join(errs...)}
}

// unescape leaves names and values that have nothing to unescape as they are.
func unescape(text string) (string, error) {
	text, err := url.QueryUnescape(text)
	if err == nil && !utf8.ValidString(text) {
		err = errors.New("not UTF-8")
	}
	return text, err
}

// pathOf returns the path for a name, of which each part is quoted where that is needed, and what comes behind it.
func pathOf(name, rest string) string {
	const mostParts = 32
	if strings.Count(name, ".") >= mostParts {
		return docpath.Member(name, rest)
	}
	for name != "" {
		dot := strings.LastIndexByte(name, '.')
		rest = docpath.Member(name[dot+1:], rest)
		name = name[:max(dot, 0)]
	}
	return rest
}
