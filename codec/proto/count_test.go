package proto_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/proto"
)

func TestMessagesAreLimitedInTheWholeMessage(t *testing.T) {
	t.Parallel()
	const extension, nested, uninterpreted = 6, 3, 999
	tag := func(number protowire.Number, inner string) string {
		return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), inner))
	}
	empty := tag(nested, "") // a message in a DescriptorProto, as is each option of its options
	for name, tt := range map[string]struct {
		data string
		want bool
	}{
		"as many as may be":      {strings.Repeat(empty, 4), true},
		"one more":               {strings.Repeat(empty, 5), false},
		"in each other":          {tag(nested, tag(nested, tag(nested, empty))), true},
		"too many in each other": {tag(nested, tag(nested, tag(nested, tag(nested, empty)))), false},
		"one more in the last":   {strings.Repeat(empty, 3) + tag(nested, empty), false},
		"of other kinds":         {empty + tag(extension, "") + tag(7, strings.Repeat(tag(uninterpreted, ""), 2)), false},
		"texts":                  {strings.Repeat(tag(10, "abc"), 100), true},
		"unknown fields":         {strings.Repeat(tag(1234, empty), 100), true},
	} {
		err := proto.New(proto.MaxElements(4)).Decode([]byte(tt.data), new(descriptorpb.DescriptorProto))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if tt.want != (err == nil) || !tt.want && (!ok || e.Problem != "want at most 4 messages in a message") {
			t.Errorf("%s: want accepted %t, have %v", name, tt.want, err)
		}
	}
	many := strings.Repeat(empty, proto.DefaultMaxElements+1)
	if _, ok := errors.AsType[*codec.DecodeError](proto.New().Decode([]byte(many), new(descriptorpb.DescriptorProto))); !ok {
		t.Error("want too many messages refused by default")
	}
	pairs := strings.Repeat(tag(1, ""), 5) // a map's
	if err := proto.New(proto.MaxElements(4)).Decode([]byte(pairs), new(structpb.Struct)); err == nil {
		t.Error("want the entries of a map counted")
	}
}

func TestGroupsAreCounted(t *testing.T) {
	t.Parallel()
	group := func(inner string) string {
		data := append(protowire.AppendTag(nil, 1, protowire.StartGroupType), inner...)
		return string(protowire.AppendTag(data, 1, protowire.EndGroupType))
	}
	message := func(inner string) string {
		return string(protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), inner))
	}
	m := grouped(t)
	for data, want := range map[string]bool{
		strings.Repeat(group(""), 4):                      true,
		strings.Repeat(group(""), 5):                      false,
		group(message(group(message("")))):                true,
		group(message(group(message("")))) + group(""):    false,
		group(message(group("")) + message("")):           true,
		group(message(group(""))+message("")) + group(""): false,
		group("\x18\x01") + strings.Repeat("\x18\x01", 9): true,
	} {
		err := proto.New(proto.MaxElements(4)).Decode([]byte(data), m.New().Interface())
		if want != (err == nil) {
			t.Errorf("%q: want accepted %t, have %v", data, want, err)
		}
	}
}

// grouped returns the type of message P { repeated group G = 1 { repeated P p = 2; } }.
func grouped(t *testing.T) protoreflect.MessageType {
	t.Helper()
	repeated := descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("groups.proto"), Syntax: new("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: new("P"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: new("g"), Number: pb.Int32(1), TypeName: new(".P.G"), Type: descriptorpb.FieldDescriptorProto_TYPE_GROUP.Enum(), Label: repeated,
			}},
			NestedType: []*descriptorpb.DescriptorProto{{
				Name: new("G"),
				Field: []*descriptorpb.FieldDescriptorProto{{
					Name: new("p"), Number: pb.Int32(2), TypeName: new(".P"), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), Label: repeated,
				}},
			}},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessageType(file.Messages().Get(0))
}
