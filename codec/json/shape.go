package json

import (
	"encoding"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// shape is what is known of a Go type before any value of it is seen.
type shape struct {
	// depth is how many levels of JSON a value of the type can have at most.
	depth int
	// proto reports whether the type is or holds a Protocol Buffers message or enumeration.
	proto bool
	// message is the error for types that are or hold a message, where those are refused.
	message error
	// options are those for values of the type.
	options []json.Options
	// plain encodes the type, or is nil if the library does.
	plain appender
}

// unbounded is the depth of a type that holds itself, anything, or what reads JSON by a method of its own.
const unbounded = 1 << 30

func shapeOf(t reflect.Type) *shape {
	w := walk{depths: make(map[reflect.Type]int)}
	s := &shape{}
	if t != nil {
		s.depth = w.depth(t)
		s.message = w.message
		s.proto = w.message != nil || w.enum
	}
	return s
}

// append encodes v as a plain type.
func (s *shape) append(dst []byte, v any) ([]byte, bool) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && r.IsNil() {
		return append(dst, "null"...), true
	}
	return s.plain(slices.Grow(dst, small), r)
}

// walk visits each type that a type is made of, once.
type walk struct {
	depths  map[reflect.Type]int
	message error
	enum    bool
}

func (w *walk) depth(t reflect.Type) int {
	if known, ok := w.depths[t]; ok {
		return known
	}
	w.depths[t] = unbounded // until known, which for a type that holds itself is never
	d := w.visit(t)
	w.depths[t] = d
	return d
}

func (w *walk) visit(t reflect.Type) int {
	switch {
	case t == timeType:
		return 0
	case has(t, jsonMethods):
		return unbounded
	case isMessage(t):
		if w.message == nil {
			w.message = refused(t)
		}
		return unbounded
	case t.Kind() != reflect.Pointer && has(t, textMethods):
		return 0
	case isEnum(t):
		w.enum = true
		return 0
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.depth(t.Elem())
	case reflect.Slice, reflect.Array, reflect.Map:
		if t.Kind() == reflect.Map {
			w.depth(t.Key())
		}
		return deeperBy1(w.depth(t.Elem()))
	case reflect.Struct:
		deepest := 0
		for f := range t.Fields() {
			if (f.IsExported() || f.Anonymous) && f.Tag.Get("json") != "-" {
				deepest = max(deepest, w.depth(f.Type))
			}
		}
		return deeperBy1(deepest)
	case reflect.Interface:
		return unbounded
	}
	return 0
}

func deeperBy1(d int) int { return min(d+1, unbounded) }

var (
	timeType    = reflect.TypeFor[time.Time]()
	jsonMethods = []reflect.Type{
		reflect.TypeFor[json.MarshalerTo](), reflect.TypeFor[json.UnmarshalerFrom](),
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
	}
	ownMethods  = append([]reflect.Type{reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextAppender]()}, jsonMethods...)
	textMethods = []reflect.Type{reflect.TypeFor[encoding.TextUnmarshaler]()}
)

// has reports whether t or a pointer to it implements one of the interfaces.
func has(t reflect.Type, interfaces []reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, i := range interfaces {
		if t.Implements(i) || p.Implements(i) {
			return true
		}
	}
	return false
}
