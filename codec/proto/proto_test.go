package proto_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	pb "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/proto"
)

func samples(t *testing.T) []any {
	t.Helper()
	anything, err := structpb.NewStruct(map[string]any{"text": "ü", "list": []any{1.5, nil, true}, "object": map[string]any{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	return []any{
		field(),
		wrapperspb.Int64(math.MinInt64), wrapperspb.UInt64(math.MaxUint64), wrapperspb.Bytes([]byte{0, 255}),
		&timestamppb.Timestamp{Seconds: 1_700_000_000, Nanos: 5}, durationpb.New(-1500), anything,
	}
}

// field is a message with enumerations, numbers, texts and a message in it.
func field() *descriptorpb.FieldDescriptorProto {
	return &descriptorpb.FieldDescriptorProto{
		Name: new("price"), Number: pb.Int32(3),
		Type:    descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum(),
		Options: &descriptorpb.FieldOptions{Packed: new(true), Ctype: descriptorpb.FieldOptions_CORD.Enum()},
	}
}

func equal(want, have any) bool {
	if m, ok := want.(pb.Message); ok {
		n, _ := have.(pb.Message)
		return pb.Equal(m, n)
	}
	return codectest.Equal(want, have)
}

// deepMessage nests messages: a DescriptorProto holds others of its kind in field 3.
func deepMessage(depth int) codectest.Document {
	data := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "innermost")
	for range depth - 1 {
		data = protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), data)
	}
	return codectest.Document{Data: data, Into: new(descriptorpb.DescriptorProto)}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	h := codectest.Harness{
		Codec:       proto.New(),
		Without:     codectest.Values | codectest.End | codectest.NonEmpty | codectest.Path,
		MaxDepth:    proto.DefaultMaxDepth,
		Samples:     samples(t),
		Equal:       equal,
		Unencodable: []any{codectest.Order{}, 1, "text", map[string]int{}, []*durationpb.Duration{}},
		Malformed: []codectest.Document{
			{Name: "a field that ends too early", Data: []byte{0x0a, 5, 'a'}, Into: field()},
			{Name: "a wire type that does not exist", Data: []byte{0x0f}, Into: field()},
			{Name: "field number 0", Data: []byte{0x00, 0x00}, Into: field()},
			{Name: "text that is not UTF-8", Data: []byte{0x0a, 1, 0xff}, Into: wrapperspb.String("")},
		},
		WrongType: []codectest.Document{{Name: "not JSON", Data: []byte(`{"name":"price"}`), Into: field()}},
		Trailing:  []string{"\x0f", "\x00", "\x0a\x05a"},
		Deep:      deepMessage,
	}
	codectest.Run(t, h)
	h.Codec, h.MaxDepth = proto.New(proto.MaxDepth(10), proto.DiscardUnknown()), 10
	t.Run("shallow", func(t *testing.T) {
		t.Parallel()
		codectest.Run(t, h)
	})
}

func TestDecodeMakesTheMessageOfATypedRequest(t *testing.T) {
	t.Parallel()
	c := proto.New()
	want := field()
	data, err := c.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	var have *descriptorpb.FieldDescriptorProto
	if err := c.Decode(data, &have); err != nil || !pb.Equal(want, have) {
		t.Errorf("want %v, have %v, %v", want, have, err)
	}
	var m pb.Message = &descriptorpb.FieldDescriptorProto{Name: new("old")}
	if err := c.Decode(data, &m); err != nil || !pb.Equal(want, m) {
		t.Errorf("by interface: want %v, have %v, %v", want, m, err)
	}
}

func TestOtherValuesAreRefusedAsNoMessage(t *testing.T) {
	t.Parallel()
	c := proto.New()
	var nothing pb.Message
	for _, v := range []any{nil, 1, codectest.Order{}, &codectest.Order{}, &nothing, new(int)} {
		if _, err := c.Append(nil, v); !errors.Is(err, proto.ErrNotMessage) {
			t.Errorf("encoding %T: want ErrNotMessage, have %v", v, err)
		}
		if err := c.Decode(nil, v); !errors.Is(err, proto.ErrNotMessage) {
			t.Errorf("decoding into %T: want ErrNotMessage, have %v", v, err)
		}
	}
}

func TestUnknownFieldsAreKeptUnlessDiscarded(t *testing.T) {
	t.Parallel()
	data := protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 7)
	for name, tt := range map[string]struct {
		codec *proto.Codec
		want  []byte
	}{
		"kept":      {proto.New(), data},
		"discarded": {proto.New(proto.DiscardUnknown()), nil},
	} {
		m := new(durationpb.Duration)
		if err := tt.codec.Decode(data, m); err != nil {
			t.Fatal(err)
		}
		if have, err := tt.codec.Append(nil, m); err != nil || !slices.Equal(tt.want, have) {
			t.Errorf("%s: want %x, have %x, %v", name, tt.want, have, err)
		}
	}
}

func TestARequiredFieldMustBeSet(t *testing.T) {
	t.Parallel()
	c := proto.New()
	if have, err := c.Append(nil, &descriptorpb.UninterpretedOption_NamePart{}); err == nil {
		t.Errorf("encoding: want an error, have %x", have)
	}
	if err := c.Decode(nil, &descriptorpb.UninterpretedOption_NamePart{}); err == nil {
		t.Error("decoding: want an error")
	}
}

func TestDynamicMessages(t *testing.T) {
	t.Parallel()
	want := dynamicpb.NewMessage(field().ProtoReflect().Descriptor())
	pb.Merge(want, field())
	have := dynamicpb.NewMessage(want.Descriptor())
	c := proto.New()
	data, err := c.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Decode(data, have); err != nil || !pb.Equal(want, have) {
		t.Errorf("want %v, have %v, %v", want, have, err)
	}
}

func TestNewPanicsForAnOptionThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]proto.Option{
		"MaxDepth(0)":     proto.MaxDepth(0),
		"MaxElements(0)":  proto.MaxElements(0),
		"MaxDepth(10001)": proto.MaxDepth(10_001),
		"is nil":          nil,
	} {
		func() {
			defer func() {
				if have, _ := recover().(string); !strings.Contains(have, want) {
					t.Errorf("want a panic about %s, have %q", want, have)
				}
			}()
			proto.New(o)
		}()
	}
}

func TestAppendIntoRoomAllocatesNothing(t *testing.T) {
	c, m, dst := proto.New(), wrapperspb.Int64(1<<60), make([]byte, 0, 100)
	if have := testing.AllocsPerRun(100, func() { _, _ = c.Append(dst, m) }); have > 0 {
		t.Errorf("want no allocation, have %v", have)
	}
}

func FuzzDecode(f *testing.F) {
	c, few := proto.New(), proto.New(proto.MaxElements(2))
	if data, err := c.Append(nil, field()); err == nil {
		f.Add(data)
	}
	f.Add(deepMessage(4).Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(descriptorpb.DescriptorProto)
		fewErr := few.Decode(data, new(descriptorpb.DescriptorProto))
		if err := c.Decode(data, m); err != nil {
			if fewErr == nil {
				t.Fatalf("%x: a limit lets it pass", data)
			}
			return
		}
		out, err := c.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		again := new(descriptorpb.DescriptorProto)
		if err := c.Decode(out, again); err != nil {
			t.Fatalf("%x became %x: %v", data, out, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c, m, dst := proto.New(), field(), make([]byte, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Append(dst, m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	c := proto.New()
	data, err := c.Append(nil, field())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Decode(data, new(descriptorpb.FieldDescriptorProto)); err != nil {
			b.Fatal(err)
		}
	}
}
