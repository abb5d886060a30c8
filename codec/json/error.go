package json

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/docpath"
)

// decodeError tells what is wrong with the document from what is wrong with v.
func decodeError(data []byte, v any, err error) error {
	sem, semantic := errors.AsType[*json.SemanticError](err)
	syn, syntactic := errors.AsType[*jsontext.SyntacticError](err)
	shown, written := errors.AsType[*codec.DecodeError](err)
	switch {
	case semantic && written:
		return &codec.DecodeError{Path: docpath.Join(path(data, sem.JSONPointer), shown.Path), Problem: shown.Problem, Err: err}
	case semantic && ownMistake(v, sem):
	case semantic:
		return &codec.DecodeError{Path: path(data, sem.JSONPointer), Problem: mismatch(sem), Err: err}
	case syntactic:
		return &codec.DecodeError{Path: path(data, syn.JSONPointer), Problem: invalid(data, syn), Err: err}
	}
	return fmt.Errorf("json: decoding into %T: %w", v, err)
}

// ownMistake reports whether no document could have been decoded.
func ownMistake(v any, err *json.SemanticError) bool {
	if r := reflect.ValueOf(v); r.Kind() != reflect.Pointer || r.IsNil() {
		return true
	}
	t := err.GoType
	if t == nil || errors.Is(err.Err, json.ErrUnknownName) {
		return false
	}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return true
	case reflect.Interface:
		return t.NumMethod() > 0
	case reflect.Struct: // such as two fields of the same name
		return err.Err != nil && err.JSONKind == '{' && !has(t, jsonMethods)
	}
	return t == reflect.TypeFor[time.Duration]() && err.JSONKind == 0
}

// invalid says what breaks the syntax.
func invalid(data []byte, err *jsontext.SyntacticError) string {
	switch {
	case len(data) == 0:
		return "the document is empty"
	case errors.Is(err.Err, io.ErrUnexpectedEOF):
		return "the document ends too early"
	case errors.Is(err.Err, jsontext.ErrDuplicateName):
		return "the member appears twice"
	case err.Err == nil:
		return fmt.Sprintf("invalid JSON at byte %d", err.ByteOffset)
	}
	return fmt.Sprintf("invalid JSON at byte %d: %v", err.ByteOffset, err.Err)
}

// mismatch says which value was wanted instead. What a method of the type itself complained about stays in the log,
// since it was not written for the sender.
func mismatch(err *json.SemanticError) string {
	t := err.GoType
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case errors.Is(err.Err, json.ErrUnknownName):
		return "unknown member"
	case t == nil:
		return "the value is not valid"
	case t == timeType:
		if err.JSONKind == '"' {
			return "want a time such as 2006-01-02T15:04:05Z"
		}
		return "want a time as a string, have " + have(err.JSONKind)
	case isBytes(t) && err.JSONKind == '"':
		if t.Kind() == reflect.Array {
			return fmt.Sprintf("want %d bytes in base64", t.Len())
		}
		return "want bytes in base64"
	case has(t, jsonMethods):
		return "the value is not valid"
	case has(t, textMethods):
		if err.JSONKind == '"' {
			return "the value is not valid"
		}
		return "want a string, have " + have(err.JSONKind)
	case isNumber(t) && (err.JSONKind == '0' || err.JSONKind == '"' && err.Err != nil):
		return wrongNumber(t, err)
	case t.Kind() == reflect.Array && err.Err != nil:
		return fmt.Sprintf("want an array of %d", t.Len())
	}
	return "want " + want(t) + ", have " + have(err.JSONKind)
}

// wrongNumber says why a number does not fit a number.
func wrongNumber(t reflect.Type, err *json.SemanticError) string {
	switch {
	case errors.Is(err.Err, strconv.ErrRange):
		return "out of range: want " + span(t)
	case err.Err == nil:
		return "want the number as a string"
	}
	return "want " + want(t)
}

// span names a kind of number with its limits.
func span(t reflect.Type) string {
	switch n := t.Bits(); {
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return fmt.Sprintf("an integer from %d to %d", int64(-1)<<(n-1), int64(-1)<<(n-1)^-1)
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr:
		return fmt.Sprintf("an integer from 0 to %d", ^uint64(0)>>(64-n))
	default:
		return fmt.Sprintf("a number of %d bits", n)
	}
}

func isNumber(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 }

func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
}

// want names the JSON that a Go type is read from.
func want(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		if isBytes(t) {
			return "bytes in base64"
		}
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	if isNumber(t) {
		return "an integer"
	}
	return "another value"
}

// have names a kind of JSON value.
func have(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "something else"
}
