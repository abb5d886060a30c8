package proto

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

// JSON returns a JSON codec that also knows Protocol Buffers: a message, and one inside a Go struct, slice, map or
// interface, has the JSON of Protocol Buffers, and so has an enumeration. Everything else is as json.New(opts...) has it,
// and as fast where the type holds neither.
//
// Fields and enumeration names that a message does not have are passed over, so that a new client can talk to an old
// server, unless json.RejectUnknown is given. A decoded message loses what it held before. White space is that of the
// rest of the document, unlike that of package protojson, which varies on purpose.
func JSON(opts ...json.Option) *json.Codec {
	marshalers := jsonv2.JoinMarshalers(
		jsonv2.MarshalToFunc(encodeMessage),
		jsonv2.MarshalToFunc(encodeEnum),
	)
	unmarshalers := jsonv2.JoinUnmarshalers(
		jsonv2.UnmarshalFromFunc(decodeMessage),
		jsonv2.UnmarshalFromFunc(decodeEnum),
	)
	return json.New(append([]json.Option{json.Messages(marshalers, unmarshalers)}, opts...)...)
}

func encodeMessage(enc *jsontext.Encoder, m proto.Message) error {
	data, err := protojson.MarshalOptions{}.MarshalAppend(enc.AvailableBuffer(), m)
	if err != nil {
		return err
	}
	return enc.WriteValue(data)
}

func decodeMessage(dec *jsontext.Decoder, m proto.Message) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	reject, _ := jsonv2.GetOption(dec.Options(), jsonv2.RejectUnknownMembers)
	err = protojson.UnmarshalOptions{DiscardUnknown: !reject}.Unmarshal(value, m)
	if err == nil {
		return nil
	}
	return &jsonv2.SemanticError{
		JSONPointer: dec.StackPointer() + pointerOf(value, err),
		Err:         &codec.DecodeError{Problem: problem(err), Err: err},
	}
}

// problem puts an error of protojson in words. Its own speak of types of Protocol Buffers, and may change.
func problem(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "unknown field"):
		return "unknown field"
	case strings.Contains(text, "required field"):
		return "a required field is missing"
	case strings.Contains(text, "oneof"):
		return "another field of the same group of alternatives is set"
	}
	return "the value does not fit the field"
}

// position is how protojson says where.
var position = regexp.MustCompile(`\(line (\d+):(\d+)\)`)

// pointerOf returns the place in value that an error of protojson speaks of, "" if it speaks of none.
func pointerOf(value []byte, err error) jsontext.Pointer {
	found := position.FindStringSubmatch(err.Error())
	if found == nil {
		return ""
	}
	line, _ := strconv.Atoi(found[1])
	column, _ := strconv.Atoi(found[2])
	offset := int64(0)
	for ; line > 1; line-- {
		offset += int64(bytes.IndexByte(value[offset:], '\n') + 1)
	}
	for ; column > 1; column-- {
		_, size := utf8.DecodeRune(value[offset:])
		offset += int64(size)
	}
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	for dec.InputOffset() <= offset {
		if _, err := dec.ReadToken(); err != nil {
			return ""
		}
	}
	return dec.StackPointer()
}
