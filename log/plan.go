package log

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// renderer renders values that an encoder of lines cannot be trusted with.
type renderer struct {
	keys       *keySet  // nil hides by tag alone
	preferJSON bool     // of two texts that a type has
	plans      sync.Map // of *plan by reflect.Type
}

// plan is how values of one type are rendered.
type plan struct {
	form   form
	dirty  bool    // there may be something to hide in it
	fields []field // of a struct
}

type form uint8

const (
	scalar   form = iota // a bool, number or string
	opaque               // has a text of its own
	resolved             // of log/slog: a LogValuer, Value or Attr
	address              // a url.URL
	named                // a func or a chan, of which there is only the type to tell
	walked               // element by element
)

// field is an exported field of a struct, promoted ones included.
type field struct {
	index     []int
	name      string
	hidden    bool
	omitEmpty bool
}

var (
	logValuerType = reflect.TypeFor[slog.LogValuer]()
	slogValueType = reflect.TypeFor[slog.Value]()
	slogAttrType  = reflect.TypeFor[slog.Attr]()
	urlType       = reflect.TypeFor[url.URL]()
	urlPtrType    = reflect.TypeFor[*url.URL]()
	bytesType     = reflect.TypeFor[[]byte]()
	textTypes     = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler](),
		reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](),
	}
)

func (r *renderer) plan(t reflect.Type) *plan {
	if p, ok := r.plans.Load(t); ok {
		return p.(*plan) //nolint:forcetypeassert // nothing else is stored
	}
	p := &plan{form: formOf(t), dirty: r.dirty(t, map[reflect.Type]bool{})}
	if p.form == walked && t.Kind() == reflect.Struct {
		p.fields = r.fields(t)
	}
	stored, _ := r.plans.LoadOrStore(t, p)
	return stored.(*plan) //nolint:forcetypeassert // nothing else is stored
}

func formOf(t reflect.Type) form {
	switch {
	case t == slogValueType, t == slogAttrType, t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(logValuerType),
		t.Kind() == reflect.Pointer && t.Implements(logValuerType):
		return resolved
	case t == urlType, t == urlPtrType:
		return address
	case t == bytesType, hasText(t) && !tagged(t, map[reflect.Type]bool{}):
		return opaque
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		return walked
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return named
	default:
		return scalar
	}
}

func hasText(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	return slices.ContainsFunc(textTypes, t.Implements)
}

// tagged reports whether a log tag can be reached from t.
func tagged(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return tagged(t.Elem(), seen)
	case reflect.Map:
		return tagged(t.Key(), seen) || tagged(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if f.Tag.Get("log") != "" || tagged(f.Type, seen) {
				return true
			}
		}
	default: // nothing is in it
	}
	return false
}

// dirty reports whether a value of type t can have something in it that is to be hidden.
func (r *renderer) dirty(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch formOf(t) {
	case resolved, address:
		return true
	case scalar, opaque, named:
		return false
	case walked:
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Map:
		return true
	case reflect.Struct:
		for f := range t.Fields() {
			if f.Tag.Get("log") != "" || r.keys.has(f.Name) || r.keys.has(jsonName(f)) || r.dirty(f.Type, seen) {
				return true
			}
		}
		return false
	default: // a pointer, slice or array
		return r.dirty(t.Elem(), seen)
	}
}

// fields lists what is shown of a struct, as encoding/json would, and what is hidden of that.
func (r *renderer) fields(t reflect.Type) []field {
	var (
		fields []field
		whole  [][]int // embedded structs that are shown as one field
	)
	for _, f := range reflect.VisibleFields(t) {
		tag, name := f.Tag.Get("log"), jsonName(f)
		if tag == "-" || f.Tag.Get("json") == "-" {
			whole = append(whole, f.Index)
			continue
		}
		if within(f.Index, whole) {
			continue
		}
		if f.Anonymous {
			if name == "" && tag == "" && inlined(f.Type) {
				continue
			}
			whole = append(whole, f.Index)
		}
		if !f.IsExported() {
			continue
		}
		hidden := tag != "" || r.keys.has(name) || r.keys.has(f.Name)
		if name == "" {
			name = f.Name
		}
		_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, field{index: f.Index, name: name, hidden: hidden, omitEmpty: strings.Contains(options, "omit")})
	}
	return fields
}

// inlined reports whether the fields of an embedded t are shown as those of the struct around it.
func inlined(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && formOf(t) == walked && formOf(reflect.PointerTo(t)) == walked
}

func within(index []int, outer [][]int) bool {
	for _, o := range outer {
		if len(o) < len(index) && slices.Equal(o, index[:len(o)]) {
			return true
		}
	}
	return false
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
