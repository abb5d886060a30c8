// Package scalar turns text into Go values and back, for path segments, query parameters, header fields and form values.
// What has to be found out about a type is found out once, by For, ForSlice and Format; callers keep what they return.
//
// Scalars are
//
//   - types whose pointer is an encoding.TextUnmarshaler (for Format, an encoding.TextMarshaler), before all else;
//   - time.Time as of RFC 3339, and time.Duration as in "1.5s";
//   - strings, which must be UTF-8; booleans, as strconv.ParseBool reads them; integers in decimal; floating-point
//     numbers in decimal, NaN and the infinities excepted; and types that are named after any of these;
//   - byte slices, in base64: either alphabet of RFC 4648 is read, padded or not, and the URL-safe one is written without padding;
//   - pointers to these, one level deep. Whatever is present gets a pointer of its own.
package scalar

import (
	"encoding"
	"reflect"
	"time"
)

// Setter stores text in v, which must be settable and of the type that the Setter was made for. It fails with an *Error and
// leaves v as it was, unless v has an UnmarshalText method that does not. It is safe for concurrent use.
type Setter func(v reflect.Value, text string) error

var (
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
	durationType    = reflect.TypeFor[time.Duration]()
)

// For returns the setter of t, and false when t is not a scalar.
func For(t reflect.Type) (Setter, bool) {
	if t.Kind() != reflect.Pointer {
		set := setter(t)
		return set, set != nil
	}
	elem := t.Elem()
	set := setter(elem)
	if set == nil {
		return nil, false
	}
	return func(v reflect.Value, text string) error {
		p := reflect.New(elem)
		if err := set(p.Elem(), text); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}, true
}

// setter returns nil for what is not a scalar, pointers among them.
func setter(t reflect.Type) Setter {
	switch {
	case t == timeType:
		return setTime
	case t == durationType:
		return setDuration
	case reflect.PointerTo(t).Implements(unmarshalerType):
		return setText
	}
	switch t.Kind() { //nolint:exhaustive // the others are not scalars
	case reflect.String:
		return setString
	case reflect.Bool:
		return setBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intSetter(t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintSetter(t.Bits())
	case reflect.Float32, reflect.Float64:
		return floatSetter(t.Bits())
	case reflect.Slice:
		if isBytes(t) {
			return setBytes
		}
	}
	return nil
}

// isBytes leaves out slices of a named byte type that has a text of its own.
func isBytes(t reflect.Type) bool {
	p := reflect.PointerTo(t.Elem())
	return t.Elem().Kind() == reflect.Uint8 && !p.Implements(unmarshalerType) && !p.Implements(marshalerType)
}
