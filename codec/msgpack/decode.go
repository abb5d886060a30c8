package msgpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/ashlar-go/ashlar/codec"
)

// maxPooled is the longest document after which a decoder is kept: it has a buffer as long as the longest text.
const maxPooled = 1 << 20

// decoder is a pooled decoder and its input.
type decoder struct {
	*msgpack.Decoder

	input bytes.Reader
}

var decoders = sync.Pool{New: func() any { return &decoder{Decoder: msgpack.NewDecoder(nil)} }}

// Decode reads the document in data into what v points to. Members that v does not have are passed over, unless RejectUnknown
// is given; members of v that data does not have stay as they were.
func (c *Codec) Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("msgpack: decoding into %T: want a pointer that is not nil", v)
	}
	s := c.shape(target.Type().Elem())
	if s.kind == kindUnsupported {
		return &unsupportedError{typ: s.typ}
	}
	if len(data) == 0 {
		return &codec.DecodeError{Problem: "the document is empty"}
	}
	w := walker{settings: c.settings, data: data}
	if err := w.document(s); err != nil {
		return err
	}
	err := unmarshal(rounded(data, w.doubles), v)
	if err == nil {
		if w.times {
			make(zoner).value(s, target.Elem())
		}
		return nil
	}
	w = walker{settings: c.settings, data: data, probe: probe}
	if found, ok := errors.AsType[*codec.DecodeError](w.document(s)); ok {
		return found
	}
	return &codec.DecodeError{Problem: "the value is not valid", Err: err}
}

// rounded returns the document with the doubles in single precision, since the library reads a float32 from nothing else.
func rounded(data []byte, doubles []int) []byte {
	if len(doubles) == 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	for _, behind := range doubles {
		head := len(data) - behind - 1 - 8
		f := math.Float64frombits(binary.BigEndian.Uint64(data[head+1:]))
		out = append(out, data[:head]...)
		out = binary.BigEndian.AppendUint32(append(out, msgpcode.Float), math.Float32bits(float32(f)))
		data = data[head+1+8:]
	}
	return append(out, data...)
}

func probe(t reflect.Type, data []byte) error { return unmarshal(data, reflect.New(t).Interface()) }

func unmarshal(data []byte, v any) error {
	d, _ := decoders.Get().(*decoder)
	d.input.Reset(data)
	d.Reset(&d.input)
	d.SetCustomStructTag(fallbackTag)
	err := d.Decode(v)
	d.input.Reset(nil)
	if len(data) <= maxPooled {
		decoders.Put(d)
	}
	return err
}
