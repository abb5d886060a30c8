package log

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// rendered is the JSON of a value, which is also its text.
type rendered string

// MarshalJSON returns the JSON.
func (r rendered) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// MarshalText returns the JSON.
func (r rendered) MarshalText() ([]byte, error) { return []byte(r), nil }

// String returns the JSON.
func (r rendered) String() string { return string(r) }

// redact returns what may be shown of v, and whether that is something else than v.
func (r *renderer) redact(v any) (any, bool) {
	switch v.(type) {
	case nil, string, bool, int, int64, time.Duration, time.Time, rendered:
		return v, false
	}
	if !r.plan(reflect.TypeOf(v)).dirty {
		return v, false
	}
	return r.render(v), true
}

// printable returns v in a form that go-kit's encoders never fail for, and of a bounded length.
func (r *renderer) printable(v any) any {
	switch t := v.(type) {
	case nil, bool, int, int64, time.Duration, time.Time, rendered:
		return v
	case string:
		if len(t) > maxText {
			return cut(t, maxText)
		}
		return v
	case float64:
		if math.IsNaN(t) || math.IsInf(t, 0) {
			return fmt.Sprint(t)
		}
		return v
	case []byte:
		return cut(t, maxText)
	}
	value := reflect.ValueOf(v)
	switch p := r.plan(value.Type()); {
	case p.form == scalar && value.CanFloat():
		return r.printable(value.Float())
	case p.form == scalar && value.Kind() == reflect.String:
		return cut(value.String(), maxText)
	case p.form == scalar:
		return v
	case p.form == walked && value.Kind() == reflect.Pointer && !value.IsNil() && r.plan(value.Type().Elem()).form == scalar:
		return r.printable(value.Elem().Interface())
	case p.form == opaque && !isNil(value):
		if _, ok := v.(json.Marshaler); ok && r.preferJSON {
			return r.render(v)
		}
		if text, ok := methodText(v); ok {
			return cut(text, maxText)
		}
	}
	return r.render(v)
}

func isError(v any) bool {
	_, ok := v.(error)
	return ok
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

// render returns v as JSON, or as a string where that is all there is.
func (r *renderer) render(v any) any {
	w := walk{renderer: r, left: maxNodes}
	return w.start(reflect.ValueOf(v))
}

// walk renders one value.
type walk struct {
	*renderer

	buf  bytes.Buffer
	json *json.Encoder
	path []visit // the pointers, maps and slices that this is in
	left int     // nodes
}

type visit struct {
	at     uintptr
	length int
	typ    reflect.Type
}

func (w *walk) start(v reflect.Value) any {
	w.json = json.NewEncoder(&w.buf)
	w.json.SetEscapeHTML(false)
	w.value(v)
	text := w.buf.String()
	if strings.HasPrefix(text, `"`) {
		var s string
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			return s
		}
	}
	return rendered(text)
}

func (w *walk) value(v reflect.Value) {
	if !w.room() {
		return
	}
	if !v.IsValid() || isNil(v) {
		w.buf.WriteString("null")
		return
	}
	switch p := w.plan(v.Type()); p.form {
	case resolved:
		w.nested(visit{}, func() { w.resolve(v) })
	case address:
		w.text(redactURL(v.Interface()))
	case opaque:
		w.own(v.Interface())
	case named:
		w.text(v.Type().String())
	case scalar:
		w.scalar(v)
	case walked:
		w.elements(v, p)
	}
}

// room counts one more node, and reports whether it may be written. If not, it has written omitted in its place.
func (w *walk) room() bool {
	if w.left--; w.buf.Len() > maxValue {
		w.left = -1
	}
	if w.left < 0 || len(w.path) > maxDepth {
		w.text(omitted)
		return false
	}
	return true
}

func (w *walk) elements(v reflect.Value, p *plan) {
	switch v.Kind() {
	case reflect.Struct:
		w.nested(visit{}, func() { w.structure(v, p.fields) })
	case reflect.Array:
		w.nested(visit{}, func() { w.list(v) })
	case reflect.Pointer:
		w.nested(visit{at: v.Pointer(), typ: v.Type()}, func() { w.value(v.Elem()) })
	case reflect.Interface:
		w.value(v.Elem())
	default: // a map or a slice
		if v.IsNil() {
			w.buf.WriteString("null")
			return
		}
		w.nested(visit{at: v.Pointer(), length: v.Len(), typ: v.Type()}, func() {
			if v.Kind() == reflect.Map {
				w.mapping(v)
			} else {
				w.list(v)
			}
		})
	}
}

// nested calls f inside of what is visited, unless it is that already.
func (w *walk) nested(at visit, f func()) {
	if at.at != 0 && slices.Contains(w.path, at) {
		w.text("[cycle]")
		return
	}
	w.path = append(w.path, at)
	f()
	w.path = w.path[:len(w.path)-1]
}

func (w *walk) structure(v reflect.Value, fields []field) {
	w.buf.WriteByte('{')
	first := true
	for _, f := range fields {
		value, err := v.FieldByIndexErr(f.index)
		if err != nil || f.omitEmpty && value.IsZero() {
			continue
		}
		if first = w.entry(first, f.name, f.hidden, value); w.left < 0 {
			break
		}
	}
	w.buf.WriteByte('}')
}

func (w *walk) mapping(v reflect.Value) {
	type pair struct {
		key   string
		value reflect.Value
	}
	var pairs []pair
	for key, value := range v.Seq2() {
		if len(pairs) > w.left {
			break
		}
		pairs = append(pairs, pair{w.mapKey(key), value})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.key, b.key) })
	w.buf.WriteByte('{')
	first := true
	for _, p := range pairs {
		if first = w.entry(first, p.key, w.keys.has(p.key), p.value); w.left < 0 {
			break
		}
	}
	w.buf.WriteByte('}')
}

// mapKey returns the text of a map's key; that of a struct is its JSON, since secrets can be in keys.
func (w *walk) mapKey(key reflect.Value) string {
	if key.Kind() == reflect.String && w.plan(key.Type()).form == scalar {
		return key.String()
	}
	inner := walk{renderer: w.renderer, path: w.path, left: w.left}
	text := fmt.Sprint(inner.start(key))
	w.left = inner.left
	return cut(text, maxText)
}

// entry writes one member of an object, and returns false, for the first that follows.
func (w *walk) entry(first bool, name string, hidden bool, value reflect.Value) bool {
	if !first {
		w.buf.WriteByte(',')
	}
	w.text(name)
	w.buf.WriteByte(':')
	if !hidden {
		w.value(value)
	} else if w.room() {
		w.text(redacted)
	}
	return false
}

func (w *walk) list(v reflect.Value) {
	w.buf.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		if w.value(v.Index(i)); w.left < 0 {
			break
		}
	}
	w.buf.WriteByte(']')
}

// resolve writes what log/slog makes of v, also where LogValue is a method of its pointer.
func (w *walk) resolve(v reflect.Value) {
	if attr, ok := reflect.TypeAssert[slog.Attr](v); ok {
		w.attrs([]slog.Attr{attr})
		return
	}
	if t := v.Type(); t != slogValueType && !t.Implements(logValuerType) {
		pointer := reflect.New(t)
		pointer.Elem().Set(v)
		v = pointer
	}
	value := slog.AnyValue(v.Interface()).Resolve()
	if value.Kind() == slog.KindGroup {
		w.attrs(value.Group())
		return
	}
	w.value(reflect.ValueOf(value.Any()))
}

func (w *walk) attrs(attrs []slog.Attr) {
	w.buf.WriteByte('{')
	first := true
	for _, attr := range attrs {
		if first = w.entry(first, attr.Key, w.keys.has(attr.Key), reflect.ValueOf(attr.Value)); w.left < 0 {
			break
		}
	}
	w.buf.WriteByte('}')
}

// own writes what a type says of itself; an error never by MarshalJSON, which is for others to read.
func (w *walk) own(v any) {
	if _, ok := v.(json.Marshaler); !ok || isError(v) {
		if text, ok := methodText(v); ok {
			w.text(text)
			return
		}
	}
	w.short(v)
}

func (w *walk) scalar(v reflect.Value) {
	if v.Kind() == reflect.String {
		w.text(v.String())
		return
	}
	w.encode(v.Interface())
}

func redactURL(v any) string {
	switch u := v.(type) {
	case *url.URL:
		return u.Redacted()
	case url.URL:
		return u.Redacted()
	}
	return redacted
}

func (w *walk) text(s string) { w.encode(cut(s, maxText)) }

// short appends the JSON of v, and of one that is long only the beginning, as a text.
func (w *walk) short(v any) {
	start := w.buf.Len()
	if w.encode(v); w.buf.Len()-start > maxText+len(omitted) {
		text := cut(w.buf.Bytes()[start:], maxText)
		w.buf.Truncate(start)
		w.encode(text)
	}
}

// encode appends the JSON of v, or what was wrong with it.
func (w *walk) encode(v any) {
	start := w.buf.Len()
	failure := guarded(func() string {
		if err := w.json.Encode(v); err != nil {
			return "!ERROR: " + err.Error()
		}
		return ""
	})
	if failure != "" {
		w.buf.Truncate(start)
		w.text(failure)
		return
	}
	w.buf.Truncate(w.buf.Len() - 1) // the newline of Encode
}
