package form

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Append appends the pairs of v to dst, in the order of the fields; those of a map are sorted. A nil pointer and a slice
// without elements have no pair.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	value := reflect.ValueOf(v)
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return dst, fmt.Errorf("form: encoding %T: %w", v, errors.New("nil has no form"))
		}
		value = value.Elem()
	}
	var t reflect.Type
	if value.IsValid() {
		t = value.Type()
	}
	p, err := c.plan(t)
	if err != nil {
		return dst, fmt.Errorf("form: encoding %T: %w", v, err)
	}
	w := writer{out: dst, start: len(dst)}
	for _, f := range p.fields {
		if err := w.field(f, value); err != nil {
			return dst, fmt.Errorf("form: encoding %T: %s: %w", v, f.name, err)
		}
	}
	return w.out, nil
}

// writer appends pairs.
type writer struct {
	out   []byte
	start int    // of the first pair
	text  []byte // before it is escaped
}

// field appends the pairs of f in the struct or map outer.
func (w *writer) field(f *field, outer reflect.Value) error {
	v := outer
	if len(f.index) > 0 {
		var err error
		if v, err = outer.FieldByIndexErr(f.index); err != nil {
			return nil //nolint:nilerr // it is in a struct that is not there
		}
	}
	if f.omitEmpty && isEmpty(v) {
		return nil
	}
	if f.elem == nil {
		return w.value(f, f.name, v)
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if err := w.value(f.elem, f.name+key.String(), v.MapIndex(key)); err != nil {
			return err
		}
	}
	return nil
}

// value appends the pair of a scalar, or those of a slice.
func (w *writer) value(f *field, name string, v reflect.Value) error {
	if f.setAll == nil {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return nil
		}
		return w.pair(f, name, v)
	}
	for i := range v.Len() {
		if err := w.pair(f, name, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) pair(f *field, name string, v reflect.Value) error {
	text, err := f.format(w.text[:0], v)
	if err != nil {
		return err
	}
	w.text = text
	if len(w.out) > w.start {
		w.out = append(w.out, '&')
	}
	w.out = append(w.out, url.QueryEscape(name)...)
	w.out = append(w.out, '=')
	w.out = append(w.out, url.QueryEscape(string(text))...)
	return nil
}

// isEmpty is what omitempty means in encoding/json.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // a struct is never empty
	case reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct, reflect.Array:
		return false
	}
	return v.IsZero()
}
