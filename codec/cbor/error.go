package cbor

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/ashlar-go/ashlar/codec"
)

// decodeError tells what is wrong with the document from what is wrong with the type t.
func (c *Codec) decodeError(data []byte, t reflect.Type, err error) error {
	problem := ""
	switch {
	case len(data) == 0:
		problem = "the document is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		problem = "the document ends too early"
	case has[*cbor.SyntaxError](err):
		problem = "not CBOR"
	case has[*cbor.ExtraneousDataError](err):
		problem = "more data follows the document"
	case has[*cbor.MaxNestedLevelError](err):
		problem = fmt.Sprintf("nested deeper than %d levels", c.maxDepth)
	case has[*cbor.MaxArrayElementsError](err), has[*cbor.MaxMapPairsError](err):
		problem = c.tooMany()
	}
	if problem != "" {
		return &codec.DecodeError{Problem: problem, Err: err}
	}
	leaf := c.locate(data, t)
	if isUnsupported(leaf.typ) {
		return fmt.Errorf("cbor: decoding into %v: %w", t, err)
	}
	return &codec.DecodeError{Path: leaf.path, Problem: leaf.problem(), Err: err}
}

func (s *settings) tooMany() string { return fmt.Sprintf("want at most %d elements", s.maxElements) }

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// isUnsupported reports whether no document could have been decoded.
func isUnsupported(t reflect.Type) bool {
	switch t.Kind() { //nolint:exhaustive // the others can be decoded
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return true
	case reflect.Interface:
		return t.NumMethod() > 0
	}
	return false
}

// problem says what is wrong at the leaf. What a method of the type itself complained about stays in the log, since it
// was not written for the sender.
func (l *leaf) problem() string {
	switch {
	case has[*cbor.UnknownFieldError](l.err):
		return "unknown member"
	case has[*cbor.DupMapKeyError](l.err):
		return "the member appears twice"
	case has[*cbor.InvalidMapKeyTypeError](l.err):
		return "want a name that is a string, a number or a boolean"
	case has[*cbor.SemanticError](l.err):
		return "the string is not UTF-8"
	case l.typ == reflect.TypeFor[time.Time]():
		return "want a time such as 2006-01-02T15:04:05Z"
	case hasMethods(l.typ):
		return "the value is not valid"
	}
	want, have := want(l.typ), have(l.data)
	if want == have || want == "" {
		return "the value is not valid"
	}
	return "want " + want + ", have " + have
}

// want names the CBOR that a Go type is read from.
func want(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the others have no name
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n := t.Bits()
		return fmt.Sprintf("an integer from %d to %d", int64(-1)<<(n-1), int64(-1)<<(n-1)^-1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("an integer from 0 to %d", ^uint64(0)>>(64-t.Bits()))
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "an array"
	case reflect.Map, reflect.Struct:
		return "a map"
	}
	return ""
}
