// Package proto is Protocol Buffers in both of its encodings: New is the binary one, for messages alone; JSON is
// application/json, in which messages follow the rules of Protocol Buffers (an int64 is a string, an enumeration its
// name, a Duration "1.5s") and all other values those of codec/json. A server that offers both lists them in one Set:
//
//	set, err := codec.NewSet(proto.JSON(), proto.New())
package proto

import (
	"errors"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/option"
)

// contentTypes of the binary encoding. The first is the registered one; application/x-protobuf is what OpenTelemetry and
// Prometheus send, application/vnd.google.protobuf what Prometheus scrapes, application/proto what Connect sends.
var contentTypes = []string{
	"application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf", "application/proto",
}

// ErrNotMessage says that a value is no proto.Message, nor a pointer to one.
var ErrNotMessage = errors.New("not a Protocol Buffers message")

// Codec is the binary encoding. It is made by New, does not change, and is safe for concurrent use.
type Codec struct {
	settings

	marshal   proto.MarshalOptions
	unmarshal proto.UnmarshalOptions
}

var _ codec.Codec = (*Codec)(nil)

// New returns the binary encoding, for values that are a proto.Message or a pointer to one; for others it fails with
// ErrNotMessage. Map entries are sorted, so that equal messages have equal encodings as long as the program does not
// change. Fields that a message does not have are kept and written again, as Protocol Buffers does it. It panics for an
// option that makes no sense.
func New(opts ...Option) *Codec {
	s := settings{maxDepth: DefaultMaxDepth, maxElements: DefaultMaxElements}
	option.Apply("proto: New", &s, opts)
	return &Codec{
		settings:  s,
		marshal:   proto.MarshalOptions{Deterministic: true},
		unmarshal: proto.UnmarshalOptions{RecursionLimit: s.maxDepth, DiscardUnknown: s.discardUnknown},
	}
}

// ContentTypes returns application/protobuf, which it writes, and the other names in use, which it reads as well.
func (c *Codec) ContentTypes() []string { return contentTypes }

// Append appends the message v to dst. It fails with ErrNotMessage, for a required field that is not set, and for a text
// that is not UTF-8.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	m, err := message(v)
	if err != nil {
		return dst, fmt.Errorf("proto: encoding %T: %w", v, err)
	}
	out, err := c.marshal.MarshalAppend(dst, m)
	if err != nil {
		return dst, fmt.Errorf("proto: encoding %T: %w", v, err)
	}
	return out, nil
}

// Decode reads a message into v, which is a message or a pointer to one; where the latter is nil, a new one is made. What
// the message held is lost. The format has no sign of where a message ends, and no data is an empty message. A
// *codec.DecodeError has no path, since Protocol Buffers tells none.
func (c *Codec) Decode(data []byte, v any) error {
	m, err := target(v)
	if err != nil {
		return fmt.Errorf("proto: decoding into %T: %w", v, err)
	}
	if c.more(data, m.ProtoReflect().Descriptor()) {
		return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d messages in a message", c.maxElements)}
	}
	if err := c.unmarshal.Unmarshal(data, m); err != nil {
		return &codec.DecodeError{Problem: "not a valid Protocol Buffers message of the type that is wanted", Err: err}
	}
	return nil
}

// message returns the message that v is or points to. A nil pointer of a message's type is an empty message.
func message(v any) (proto.Message, error) {
	if m, ok := v.(proto.Message); ok {
		return m, nil
	}
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && !p.IsNil() {
		if m, ok := reflect.TypeAssert[proto.Message](p.Elem()); ok {
			return m, nil
		}
	}
	return nil, ErrNotMessage
}

// target returns the message to decode into.
func target(v any) (proto.Message, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer {
		return nil, ErrNotMessage
	}
	if p.IsNil() {
		return nil, errors.New("the pointer is nil")
	}
	if m, ok := v.(proto.Message); ok {
		return m, nil
	}
	p = p.Elem()
	if p.Kind() == reflect.Pointer && p.IsNil() && p.Type().Implements(messageType) {
		p.Set(reflect.New(p.Type().Elem()))
	}
	if m, ok := reflect.TypeAssert[proto.Message](p); ok && m != nil {
		return m, nil
	}
	return nil, ErrNotMessage
}

var messageType = reflect.TypeFor[proto.Message]()
