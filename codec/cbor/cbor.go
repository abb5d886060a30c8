// Package cbor is the CBOR encoding (RFC 8949), by github.com/fxamacker/cbor.
//
// A struct is a map from the names of its fields: the name in the tag `cbor:"..."`, else that in `json:"..."`, else the
// field's own, so that a type made for JSON needs no further tags. Names match by case. A time.Time is text as of RFC 3339 with
// tag 0, in UTC; a time.Duration is a number of nanoseconds. Types with methods of encoding.TextMarshaler,
// encoding.BinaryMarshaler or of fxamacker's interfaces decide for themselves.
//
// Maps are sorted by key and members by name (RFC 8949, section 4.2.1), so that equal values have equal encodings (and entity
// tags). Into a field of type any a map comes as a map[string]any, an integer as an int64 where it fits, and of an unknown tag
// the content.
package cbor

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ContentType is what the codec reads and writes.
const ContentType = "application/cbor"

var contentTypes = []string{ContentType}

// Codec is CBOR. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	enc     cbor.UserBufferEncMode
	dec     cbor.DecMode
	buffers sync.Pool
}

// New returns the CBOR codec. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	c := &Codec{
		settings: settings{maxDepth: DefaultMaxDepth, maxElements: DefaultMaxElements},
		buffers:  sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	option.Apply("cbor: New", &c.settings, opts)
	var err error
	if c.enc, err = encOptions().UserBufferEncMode(); err != nil {
		panic("cbor: New: " + err.Error())
	}
	if c.dec, err = c.decOptions().DecMode(); err != nil {
		panic("cbor: New: " + err.Error())
	}
	return c
}

var _ codec.Codec = (*Codec)(nil)

func encOptions() cbor.EncOptions {
	return cbor.EncOptions{
		Sort:          cbor.SortCoreDeterministic,
		Time:          cbor.TimeRFC3339NanoUTC,
		TimeTag:       cbor.EncTagRequired,
		TextMarshaler: cbor.TextMarshalerTextString,
	}
}

func (s *settings) decOptions() cbor.DecOptions {
	options := cbor.DecOptions{
		DupMapKey:            cbor.DupMapKeyEnforcedAPF,
		TimeTag:              cbor.DecTagOptional,
		MaxNestedLevels:      s.maxDepth,
		MaxArrayElements:     s.maxElements,
		MaxMapPairs:          s.maxElements,
		IntDec:               cbor.IntDecConvertSignedOrBigInt,
		DefaultMapType:       reflect.TypeFor[map[string]any](),
		FieldNameMatching:    cbor.FieldNameMatchingCaseSensitive,
		UnrecognizedTagToAny: cbor.UnrecognizedTagContentToAny,
		TextUnmarshaler:      cbor.TextUnmarshalerTextString,
	}
	if s.rejectUnknown {
		options.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	}
	return options
}

// ContentTypes returns application/cbor.
func (*Codec) ContentTypes() []string { return contentTypes }

// Append appends the CBOR of v to dst.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	buf, _ := c.buffers.Get().(*bytes.Buffer)
	*buf = *bytes.NewBuffer(dst)
	err := c.enc.MarshalToBuffer(v, buf)
	out := buf.Bytes()
	*buf = bytes.Buffer{}
	c.buffers.Put(buf)
	if err != nil {
		return dst, fmt.Errorf("cbor: encoding %T: %w", v, err)
	}
	return out, nil
}

// Decode reads the document in data into what v points to. Members that v does not have are passed over, unless RejectUnknown
// is given; members of v that data does not have stay as they were.
func (c *Codec) Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("cbor: decoding into %T: want a pointer that is not nil", v)
	}
	if c.more(data) {
		return &codec.DecodeError{Problem: c.tooMany()}
	}
	if err := c.dec.Unmarshal(data, v); err != nil {
		return c.decodeError(data, target.Type().Elem(), err)
	}
	return nil
}
