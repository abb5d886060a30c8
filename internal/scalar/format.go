package scalar

import (
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// Formatter appends the text of v to dst, such that the Setter of the type reads it back. V must be of the type that the
// Formatter was made for. A nil pointer has no text, and nothing is appended. Dst comes back as it was with an error:
// for text that is not UTF-8, numbers that are not finite, years beyond 9999, and what MarshalText says.
// It is safe for concurrent use.
type Formatter func(dst []byte, v reflect.Value) ([]byte, error)

var (
	marshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	appenderType  = reflect.TypeFor[encoding.TextAppender]()
)

// Format returns the formatter of t, and false when t is not a scalar.
func Format(t reflect.Type) (Formatter, bool) {
	if t.Kind() != reflect.Pointer {
		format := formatter(t)
		return format, format != nil
	}
	format := formatter(t.Elem())
	if format == nil {
		return nil, false
	}
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return dst, nil
		}
		return format(dst, v.Elem())
	}, true
}

func formatter(t reflect.Type) Formatter {
	p := reflect.PointerTo(t)
	switch {
	case t == durationType:
		return formatDuration
	case t.Kind() == reflect.Interface:
		return nil
	case p.Implements(appenderType): // time.Time among others
		return formatAppender
	case p.Implements(marshalerType):
		return formatText
	}
	switch t.Kind() { //nolint:exhaustive // the others are not scalars
	case reflect.String:
		return formatString
	case reflect.Bool:
		return formatBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return formatInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return formatUint
	case reflect.Float32, reflect.Float64:
		return floatFormatter(t.Bits())
	case reflect.Slice:
		if isBytes(t) {
			return formatBytes
		}
	}
	return nil
}

var errNotUTF8 = errors.New("text is not UTF-8")

func formatString(dst []byte, v reflect.Value) ([]byte, error) {
	text := v.String()
	if !utf8.ValidString(text) {
		return dst, errNotUTF8
	}
	return append(dst, text...), nil
}

func formatBool(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

func formatInt(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendInt(dst, v.Int(), 10), nil
}

func formatUint(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendUint(dst, v.Uint(), 10), nil
}

func floatFormatter(bits int) Formatter {
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return dst, fmt.Errorf("%v is not a finite number", f)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, bits), nil
	}
}

func formatDuration(dst []byte, v reflect.Value) ([]byte, error) {
	return append(dst, time.Duration(v.Int()).String()...), nil
}

func formatBytes(dst []byte, v reflect.Value) ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(dst, v.Bytes()), nil
}

func formatAppender(dst []byte, v reflect.Value) ([]byte, error) {
	extended, err := addr(v).Interface().(encoding.TextAppender).AppendText(dst) //nolint:forcetypeassert // formatter looked
	if err != nil {
		return dst, err
	}
	return extended, nil
}

func formatText(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := addr(v).Interface().(encoding.TextMarshaler).MarshalText() //nolint:forcetypeassert // formatter looked
	if err != nil {
		return dst, err
	}
	return append(dst, text...), nil
}

// addr returns a pointer to v, or to a copy where v cannot be pointed to.
func addr(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v.Addr()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p
}
