package proto

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// counter walks the encoding of a message, and stops where it is malformed.
type counter struct {
	left   int // messages that may still come
	levels int // of messages in each other that may still come
}

// more reports whether there are more than s.maxElements messages in the message that data is the encoding of. Of data that is
// malformed, or nests too deep, it may report either.
func (s *settings) more(data []byte, m protoreflect.MessageDescriptor) bool {
	const least = 2 // bytes of a message in another
	if len(data)/least <= s.maxElements {
		return false
	}
	c := counter{left: s.maxElements, levels: s.maxDepth - 1}
	c.fields(data, m)
	return c.left < 0
}

// fields walks the fields of a message up to the end of its group or of the data, and returns what is behind. It reports false if
// there is no reason to go on.
func (c *counter) fields(data []byte, m protoreflect.MessageDescriptor) (rest []byte, ok bool) {
	for len(data) > 0 {
		number, wire, size := protowire.ConsumeTag(data)
		if size < 0 {
			return nil, false
		}
		data = data[size:]
		if wire == protowire.EndGroupType {
			return data, true
		}
		inner := messageOf(m, number)
		if inner != nil && wire == protowire.StartGroupType {
			if data, ok = c.message(data, inner); !ok {
				return nil, false
			}
			continue
		}
		if size = protowire.ConsumeFieldValue(number, wire, data); size < 0 {
			return nil, false
		}
		if inner != nil && wire == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(data)
			if _, ok = c.message(value, inner); !ok {
				return nil, false
			}
		}
		data = data[size:]
	}
	return nil, true
}

// message counts a message and walks its fields.
func (c *counter) message(data []byte, m protoreflect.MessageDescriptor) (rest []byte, ok bool) {
	if c.left--; c.left < 0 || c.levels == 0 {
		return nil, false
	}
	c.levels--
	defer func() { c.levels++ }()
	return c.fields(data, m)
}

// messageOf returns the type of the messages in a field, nil if it has none or is not known.
func messageOf(m protoreflect.MessageDescriptor, number protowire.Number) protoreflect.MessageDescriptor {
	if field := m.Fields().ByNumber(number); field != nil {
		return field.Message()
	}
	if m.ExtensionRanges().Has(number) {
		if extension, err := protoregistry.GlobalTypes.FindExtensionByNumber(m.FullName(), number); err == nil {
			return extension.TypeDescriptor().Message()
		}
	}
	return nil
}
