package json

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// appender appends the JSON of a value. It reports false for a value that the library must see, be it for its error.
type appender func(dst []byte, v reflect.Value) ([]byte, bool)

// plain returns an appender for a type of which nothing is asked but the obvious: structs of booleans, numbers, texts,
// times and each other, pointers to them and slices of them. It writes what the library writes, byte for byte, in half
// the time; FuzzPlain holds the two against each other. It returns nil for any other type.
func plain(t reflect.Type) appender {
	return compile(t, map[reflect.Type]bool{})
}

// compile builds the appender of t. Inside are the types around it: one that holds itself may have cycles, which the
// library knows how to find.
func compile(t reflect.Type, inside map[reflect.Type]bool) appender {
	if t == timeType {
		return appendTime
	}
	if inside[t] || t.PkgPath() != "" && (t.NumMethod() > 0 || reflect.PointerTo(t).NumMethod() > 0) && has(t, ownMethods) {
		return nil
	}
	inside[t] = true
	defer delete(inside, t)
	switch t.Kind() {
	case reflect.Bool:
		return func(dst []byte, v reflect.Value) ([]byte, bool) { return strconv.AppendBool(dst, v.Bool()), true }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if t == reflect.TypeFor[time.Duration]() {
			return nil
		}
		return func(dst []byte, v reflect.Value) ([]byte, bool) { return strconv.AppendInt(dst, v.Int(), 10), true }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(dst []byte, v reflect.Value) ([]byte, bool) { return strconv.AppendUint(dst, v.Uint(), 10), true }
	case reflect.Float32, reflect.Float64:
		bits := t.Bits()
		return func(dst []byte, v reflect.Value) ([]byte, bool) { return appendFloat(dst, v.Float(), bits) }
	case reflect.String:
		return func(dst []byte, v reflect.Value) ([]byte, bool) { return appendText(dst, v.String()) }
	case reflect.Pointer:
		return compilePointer(t, inside)
	case reflect.Slice:
		return compileSlice(t, inside)
	case reflect.Struct:
		return compileStruct(t, inside)
	}
	return nil
}

func compilePointer(t reflect.Type, inside map[reflect.Type]bool) appender {
	elem := compile(t.Elem(), inside)
	if elem == nil {
		return nil
	}
	return func(dst []byte, v reflect.Value) ([]byte, bool) {
		if v.IsNil() {
			return append(dst, "null"...), true
		}
		return elem(dst, v.Elem())
	}
}

func compileSlice(t reflect.Type, inside map[reflect.Type]bool) appender {
	elem := compile(t.Elem(), inside)
	if elem == nil || t.Elem().Kind() == reflect.Uint8 {
		return nil
	}
	return func(dst []byte, v reflect.Value) (_ []byte, ok bool) {
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, ok = elem(dst, v.Index(i)); !ok {
				return dst, false
			}
		}
		return append(dst, ']'), true
	}
}

// member is a field of a struct.
type member struct {
	index int
	name  string                   // quoted, with the colon
	omit  func(reflect.Value) bool // nil for a member that is always there
	value appender
}

// simpleTag is a name, and omitzero perhaps. All else is left to the library.
var simpleTag = regexp.MustCompile(`^[A-Za-z0-9_]*(,omitzero)?$`)

func compileStruct(t reflect.Type, inside map[reflect.Type]bool) appender {
	var members []member
	names := make(map[string]bool)
	for f := range t.Fields() {
		tag, tagged := f.Tag.Lookup("json")
		if tag == "-" || !f.IsExported() && !f.Anonymous && !tagged {
			continue
		}
		m, ok := compileMember(f, tag, inside)
		if !ok || names[m.name] {
			return nil
		}
		names[m.name] = true
		members = append(members, m)
	}
	if len(members) == 0 { // which may be a mistake
		return nil
	}
	return appendMembers(members)
}

func compileMember(f reflect.StructField, tag string, inside map[reflect.Type]bool) (m member, ok bool) {
	if f.Anonymous || !f.IsExported() || !simpleTag.MatchString(tag) {
		return m, false
	}
	name, _, omitZero := strings.Cut(tag, ",")
	if name == "" {
		name = f.Name
	}
	quoted, err := jsontext.AppendQuote(nil, name)
	if err != nil {
		return m, false
	}
	m = member{index: f.Index[0], name: string(quoted) + ":", value: compile(f.Type, inside)}
	if omitZero {
		m.omit = zero(f.Type)
	}
	return m, m.value != nil && omitZero == (m.omit != nil)
}

func appendMembers(members []member) appender {
	return func(dst []byte, v reflect.Value) (_ []byte, ok bool) {
		dst = append(dst, '{')
		first := true
		for i := range members {
			m := &members[i]
			field := v.Field(m.index)
			if m.omit != nil && m.omit(field) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if dst, ok = m.value(append(dst, m.name...), field); !ok {
				return dst, false
			}
		}
		return append(dst, '}'), true
	}
}

// zero returns what tells whether a value is zero, nil if only a method of the type's own knows.
func zero(t reflect.Type) func(reflect.Value) bool {
	if t == timeType {
		return func(v reflect.Value) bool {
			t, _ := reflect.TypeAssert[time.Time](v)
			return t.IsZero()
		}
	}
	if _, own := reflect.PointerTo(t).MethodByName("IsZero"); own {
		return nil
	}
	return reflect.Value.IsZero
}

// appendText quotes s. Texts without anything to escape, most of them, are copied.
func appendText(dst []byte, s string) ([]byte, bool) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			out, err := jsontext.AppendQuote(dst, s)
			return out, err == nil
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"'), true
}

// appendFloat writes a number as ECMAScript does (RFC 8785, section 3.2.2.3).
func appendFloat(dst []byte, f float64, bits int) ([]byte, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, false
	}
	abs := math.Abs(f)
	small, large := abs < 1e-6, abs >= 1e21
	if bits == 32 {
		small, large = float32(abs) < 1e-6, float32(abs) >= 1e21
	}
	if abs == 0 || !small && !large {
		return strconv.AppendFloat(dst, f, 'f', -1, bits), true
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-09 is e-9
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst, true
}

// appendTime writes a time in RFC 3339, unless it has a year or a zone that cannot be said in it.
func appendTime(dst []byte, v reflect.Value) ([]byte, bool) {
	t, ok := reflect.TypeAssert[time.Time](v)
	if !ok || t.Year() < 0 || t.Year() > 9999 {
		return dst, false
	}
	if _, offset := t.Zone(); offset <= -24*60*60 || offset >= 24*60*60 {
		return dst, false
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"'), true
}
