// Package json is the JSON encoding (RFC 8259) with the semantics of encoding/json/v2: names match by case, a member that
// appears twice and text that is not UTF-8 are refused, a nil slice is [] and a nil map {}. A time.Duration has no JSON
// form of its own and is refused, unless an option of encoding/json/v2 gives it one.
//
// What it writes has no insignificant white space, maps are sorted by key, so that equal values have equal encodings
// (and entity tags), and characters that mean something in HTML are not escaped. Options changes all of that.
package json

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// ContentType is what the codec reads and writes.
const ContentType = "application/json"

var contentTypes = []string{ContentType}

// Codec is JSON. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	maxDepth    int
	maxElements int
	fast        bool           // whether nothing is asked for that the encoding of plain types does not do
	custom      bool           // whether there are unmarshalers of which nobody knows how deep they read
	options     []json.Options // for types without Protocol Buffers messages
	refusing    []json.Options // for types that may hold one that only the value shows; nil if messages says how
	messages    []json.Options // for types with messages, and those that may hold one; nil if they are refused
	shapes      sync.Map       // reflect.Type to *shape
	buffers     sync.Pool
}

// New returns the JSON codec. It panics for an option that makes no sense.
func New(opts ...Option) *Codec {
	s := settings{maxDepth: DefaultMaxDepth, maxElements: DefaultMaxElements, fast: true, json: []json.Options{json.Deterministic(true)}}
	option.Apply("json: New", &s, opts)
	joined := json.JoinOptions(s.json...)
	unmarshalers, _ := json.GetOption(joined, json.WithUnmarshalers)
	return &Codec{
		maxDepth:    s.maxDepth,
		maxElements: s.maxElements,
		fast:        s.fast,
		custom:      unmarshalers != nil,
		options:     []json.Options{joined},
		refusing:    s.refusing(joined),
		messages:    s.forMessages(joined),
		buffers:     sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

var _ codec.Codec = (*Codec)(nil)

// ContentTypes returns application/json.
func (c *Codec) ContentTypes() []string { return contentTypes }

// small is the room in dst below which encoding into the library's own buffer is cheaper than growing dst.
const small = 64

// Append appends the JSON of v to dst. A pointer costs an allocation less than a value. It fails for what JSON cannot
// say, such as NaN, and for Protocol Buffers messages, of which codec/proto knows how: for a type that is or holds a
// message, and for a message inside an interface.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	s := c.shape(v)
	if s.message != nil {
		return dst, fmt.Errorf("json: encoding %T: %w", v, s.message)
	}
	if s.plain != nil {
		if out, ok := s.append(dst, v); ok {
			return out, nil
		}
	}
	if cap(dst)-len(dst) < small {
		data, err := json.Marshal(v, s.options...)
		if err != nil {
			return dst, fmt.Errorf("json: encoding %T: %w", v, err)
		}
		if len(dst) == 0 {
			return data, nil
		}
		return append(dst, data...), nil
	}
	buf, _ := c.buffers.Get().(*bytes.Buffer)
	*buf = *bytes.NewBuffer(dst)
	err := json.MarshalWrite(buf, v, s.options...)
	out := buf.Bytes()
	*buf = bytes.Buffer{}
	c.buffers.Put(buf)
	if err != nil {
		return dst, fmt.Errorf("json: encoding %T: %w", v, err)
	}
	return out, nil
}

// Decode reads data, all of it, into what v points to. Members that v does not have are passed over, unless RejectUnknown
// is given; members of v that data does not have stay as they were. Where a method of v's own complains, the sender reads
// that the value is not valid, unless the method returned a *codec.DecodeError, which is shown with its path.
func (c *Codec) Decode(data []byte, v any) error {
	s := c.shape(v)
	if s.message != nil {
		return fmt.Errorf("json: decoding into %T: %w", v, s.message)
	}
	if (c.custom || s.depth > c.maxDepth) && deeper(data, c.maxDepth) {
		return &codec.DecodeError{Problem: fmt.Sprintf("nested deeper than %d levels", c.maxDepth)}
	}
	if more(data, c.maxElements) {
		return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d elements", c.maxElements)}
	}
	if err := json.Unmarshal(data, v, s.options...); err != nil {
		return decodeError(data, v, err)
	}
	return nil
}

// shape returns what is known of the type of v.
func (c *Codec) shape(v any) *shape {
	t := reflect.TypeOf(v)
	if known, ok := c.shapes.Load(t); ok {
		s, _ := known.(*shape)
		return s
	}
	s := shapeOf(t)
	s.options = c.options
	if t != nil && c.fast && !s.proto {
		s.plain = plain(t)
	}
	switch {
	case c.messages == nil && s.depth >= unbounded:
		s.options = c.refusing
	case c.messages != nil:
		s.message = nil
		if s.proto || s.depth >= unbounded {
			s.options = c.messages
		}
	}
	c.shapes.Store(t, s)
	return s
}
