package msgpack

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// fallbackTag names fields that have no msgpack tag.
const fallbackTag = "json"

// encoder is a pooled encoder, which is where its output goes, too.
type encoder struct {
	*msgpack.Encoder

	dst []byte
}

func (e *encoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

func (e *encoder) WriteByte(c byte) error {
	e.dst = append(e.dst, c)
	return nil
}

var encoders = sync.Pool{New: func() any { return &encoder{Encoder: msgpack.NewEncoder(nil)} }}

// Append appends the encoding of v to dst. Integers take as few bytes as they can; the keys of a map[string]string, a
// map[string]bool and a map[string]any are sorted.
func (*Codec) Append(dst []byte, v any) ([]byte, error) {
	e, _ := encoders.Get().(*encoder)
	defer func() {
		e.dst = nil
		encoders.Put(e)
	}()
	e.dst = dst
	e.Reset(e)
	e.SetCustomStructTag(fallbackTag)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.Encode(addressable(v)); err != nil {
		return dst, fmt.Errorf("msgpack: encoding %T: %w", v, err)
	}
	return e.dst, nil
}

// addressable returns a pointer to a copy of a struct or array, since the library does not find the methods of pointers to
// fields otherwise.
func addressable(v any) any {
	t := reflect.TypeOf(v)
	if t == nil || t.Kind() != reflect.Struct && t.Kind() != reflect.Array {
		return v
	}
	p := reflect.New(t)
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}
