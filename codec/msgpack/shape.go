package msgpack

import (
	"encoding"
	"reflect"
	"slices"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// shape is what the library makes of a Go type, as far as a document can be held against it.
type shape struct {
	kind   kind
	bits   int            // of an integer
	length int            // of an array; of a struct that is written as one
	noNil  bool           // the library would panic at nil
	elem   *shape         // of a pointer, list or map
	key    *shape         // of a map
	fields []*shape       // of a struct, as the library orders them
	index  [][]int        // of a struct: where the fields are
	names  map[string]int // of a struct: the index in fields, or none
	times  bool           // whether there may be times in it
	typ    reflect.Type
}

type kind uint8

const (
	kindUnsupported kind = iota
	kindAny
	kindBool
	kindInt
	kindUint
	kindFloat32
	kindFloat64
	kindString
	kindBytes
	kindTime
	kindText   // has an UnmarshalBinary or UnmarshalText method
	kindCustom // reads MessagePack by itself
	kindPointer
	kindSlice
	kindArray
	kindByteArray
	kindMap
	kindStruct
)

var (
	timeType = reflect.TypeFor[time.Time]()

	customTypes = []reflect.Type{reflect.TypeFor[msgpack.CustomDecoder](), reflect.TypeFor[msgpack.Unmarshaler]()}
	textTypes   = []reflect.Type{reflect.TypeFor[encoding.BinaryUnmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
	encodeTypes = []reflect.Type{
		reflect.TypeFor[msgpack.CustomEncoder](), reflect.TypeFor[msgpack.Marshaler](),
		reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.TextMarshaler](),
	}
)

// shape returns the shape of t, which is made once.
func (c *Codec) shape(t reflect.Type) *shape {
	if known, ok := c.shapes.Load(t); ok {
		s, _ := known.(*shape)
		return s
	}
	made := make(shaper)
	s := made.shape(t)
	made.findTimes()
	for t, s := range made {
		c.shapes.LoadOrStore(t, s)
	}
	return s
}

// shaper holds the shapes that are being made, so that a type can hold itself.
type shaper map[reflect.Type]*shape

func (made shaper) shape(t reflect.Type) *shape {
	if s, ok := made[t]; ok {
		return s
	}
	s := &shape{typ: t}
	made[t] = s
	switch {
	case t == timeType:
		s.kind, s.noNil = kindTime, true
	case t.Kind() == reflect.Pointer:
		s.kind = kindPointer
		s.elem = made.shape(t.Elem())
	case implements(t, customTypes):
		s.kind = kindCustom
	case implements(t, textTypes):
		s.kind = kindText
	default:
		made.byKind(s)
		return s
	}
	s.noNil = s.noNil || s.kind != kindPointer && hasValueMethod(t)
	return s
}

func hasValueMethod(t reflect.Type) bool {
	return t.Kind() != reflect.Map && t.Kind() != reflect.Slice && t.Kind() != reflect.Func && t.Kind() != reflect.Chan &&
		slices.ContainsFunc(slices.Concat(customTypes, textTypes), t.Implements)
}

func implements(t reflect.Type, interfaces []reflect.Type) bool {
	for _, i := range interfaces {
		if t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

func (made shaper) byKind(s *shape) {
	t := s.typ
	switch t.Kind() { //nolint:exhaustive // the library has nothing for the others
	case reflect.Bool:
		s.kind = kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.kind, s.bits = kindInt, t.Bits()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.kind, s.bits = kindUint, t.Bits()
	case reflect.Float32:
		s.kind = kindFloat32
	case reflect.Float64:
		s.kind = kindFloat64
	case reflect.String:
		s.kind = kindString
	case reflect.Interface:
		if t.NumMethod() == 0 {
			s.kind = kindAny
		}
	case reflect.Slice:
		s.kind = kindBytes
		if t.Elem().Kind() != reflect.Uint8 {
			s.kind, s.elem = kindSlice, made.shape(t.Elem())
		}
	case reflect.Array:
		s.kind, s.length = kindByteArray, t.Len()
		if t.Elem().Kind() != reflect.Uint8 {
			s.kind, s.elem = kindArray, made.shape(t.Elem())
		}
	case reflect.Map:
		if s.key, s.elem = made.shape(t.Key()), made.shape(t.Elem()); s.key.isKey() {
			s.kind = kindMap
		}
	case reflect.Struct:
		s.kind = kindStruct
		made.addFields(s)
	}
}

// isKey reports whether a map can have such keys without trouble: what is hashable only sometimes is left out.
func (s *shape) isKey() bool {
	switch s.kind { //nolint:exhaustive // the others are no keys
	case kindAny, kindBool, kindInt, kindUint, kindFloat32, kindFloat64, kindString:
		return true
	case kindText:
		return s.typ.Comparable() && s.typ.Kind() != reflect.Interface
	}
	return false
}
