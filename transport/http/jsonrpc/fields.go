package jsonrpc

import (
	"encoding"
	stdjson "encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// shape says how params hold a request of some type.
type shape uint8

const (
	asItIs   shape = iota // the type reads and writes arrays and objects by itself, or is an interface
	byMember              // a map: an object
	byField               // a struct: an object, or an array of its fields in order
	byIndex               // a slice or an array: an array
	alone                 // anything else: an array of one
)

// shapeOf returns the shape of t, and for a struct the names of its fields in order, which are nil where two have the same.
func shapeOf(t reflect.Type) (shape, []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind := t.Kind(); {
	case kind == reflect.Interface:
		return asItIs, nil
	case has[encoding.TextUnmarshaler](t):
		return alone, nil
	case kind == reflect.Struct && ownJSON(t), kind == reflect.Map && ownJSON(t), kind == reflect.Slice && ownJSON(t):
		return asItIs, nil
	case kind == reflect.Map:
		return byMember, nil
	case kind == reflect.Struct:
		names, ok := fieldNames(t, []reflect.Type{t})
		if !ok {
			names = nil
		}
		return byField, names
	case (kind == reflect.Slice || kind == reflect.Array) && t.Elem().Kind() != reflect.Uint8: // bytes are a text in JSON
		return byIndex, nil
	}
	return alone, nil
}

func ownJSON(t reflect.Type) bool { return has[json.UnmarshalerFrom](t) || has[stdjson.Unmarshaler](t) }

func has[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}

// fieldNames returns the JSON names of the fields of t in their order, those of embedded structs in their place. It reports whether they
// can be told apart. The types that t is embedded in are outer.
func fieldNames(t reflect.Type, outer []reflect.Type) (names []string, ok bool) {
	names = []string{}
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		own := []string{name}
		switch embedded := f.Anonymous && name == "" || slices.Contains(strings.Split(options, ","), "embed"); {
		case tag == "-", !f.IsExported() && !embedded:
			continue
		case embedded && inner.Kind() != reflect.Struct: // a map for what has no field
			continue
		case embedded && slices.Contains(outer, inner):
			return nil, false
		case embedded:
			if own, ok = fieldNames(inner, append(slices.Clip(outer), inner)); !ok {
				return nil, false
			}
		case name == "":
			own[0] = f.Name
		}
		for _, name := range own {
			if slices.Contains(names, name) {
				return nil, false
			}
			names = append(names, name)
		}
	}
	return names, true
}
