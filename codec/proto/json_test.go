package proto_test

import (
	"bytes"
	"errors"
	"testing"

	pb "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/codectest"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/proto"
)

type shipment struct {
	ID    string                                        `json:"id"`
	Big   *wrapperspb.Int64Value                        `json:"big"`
	Wait  []*durationpb.Duration                        `json:"wait"`
	Type  descriptorpb.FieldDescriptorProto_Type        `json:"type"`
	Field map[string]*descriptorpb.FieldDescriptorProto `json:"field"`
	Any   any                                           `json:"any"`
}

func TestJSONConformance(t *testing.T) {
	t.Parallel()
	codectest.Run(t, codectest.Harness{
		Codec:      proto.JSON(),
		MaxDepth:   json.DefaultMaxDepth,
		MaxSkipped: 10_000,
		Samples:    samples(t),
		Equal:      equal,
		Malformed: []codectest.Document{
			{Name: "a name without quotes", Data: []byte(`{name:"1"}`), Into: field()},
			{Name: "a name without quotes, no message", Data: []byte(`{name:"1"}`)},
			{Name: "a field twice", Data: []byte(`{"name":"a","name":"b"}`), Into: field()},
			{Name: "a field by both of its names", Data: []byte(`{"jsonName":"a","json_name":"b"}`), Into: field()},
		},
		WrongType: []codectest.Document{
			{Name: "an order", Data: []byte(`{"items":[{},{},{},{"price":"cheap"}]}`), Path: "items[3].price"},
			{Name: "a message", Data: []byte(`{"options":{"packed":1}}`), Into: field(), Path: "options.packed"},
			{Name: "a list of messages", Data: []byte("{\"field\":\n\t[{\"name\":\"ü\"},\n\t {\"number\":\"x\"}]}"),
				Into: new(descriptorpb.DescriptorProto), Path: "field[1].number"},
			{Name: "a message in a struct", Data: []byte(`{"field":{"a.b":{"number":true}}}`), Into: new(shipment), Path: `field["a.b"].number`},
			{Name: "an enumeration", Data: []byte(`{"type":"TYPE_ROUND"}`), Into: new(shipment), Path: "type"},
			{Name: "a number of an enumeration", Data: []byte(`{"type":4294967297}`), Into: new(shipment), Path: "type"},
		},
		Trailing: []string{"x", "{}", ",", "]", " 1"},
		Deep: func(depth int) codectest.Document {
			data := append(bytes.Repeat([]byte(`{"next":`), depth-1), "{}"...)
			return codectest.Document{Data: append(data, bytes.Repeat([]byte("}"), depth-1)...), Into: new(codectest.Node)}
		},
	})
}

// An int64 is a string, since others read numbers as 64-bit floats, and an enumeration goes by its name.
func TestMessagesHaveTheJSONOfProtocolBuffers(t *testing.T) {
	t.Parallel()
	packed, err := anypb.New(durationpb.New(1_500_000_000))
	if err != nil {
		t.Fatal(err)
	}
	dynamic := dynamicpb.NewMessage(field().ProtoReflect().Descriptor())
	pb.Merge(dynamic, field())
	const price = `{"name":"price","number":3,"type":"TYPE_INT64","options":{"ctype":"CORD","packed":true}}`
	for name, tt := range map[string]struct {
		value any
		want  string
	}{
		"an int64":               {wrapperspb.Int64(1 << 60), `"1152921504606846976"`},
		"enumerations":           {field(), price},
		"a dynamic message":      {dynamic, price},
		"an Any":                 {packed, `{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}`},
		"a slice":                {[]*durationpb.Duration{durationpb.New(1e9), nil}, `["1s",null]`},
		"an interface":           {[]any{wrapperspb.UInt64(1), 1, descriptorpb.FieldDescriptorProto_TYPE_BOOL}, `["1",1,"TYPE_BOOL"]`},
		"an unknown enumeration": {[]descriptorpb.FieldDescriptorProto_Type{8, 99}, `["TYPE_BOOL",99]`},
		"no message":             {map[string]int{"b": 1, "a": 2}, `{"a":2,"b":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			have, err := proto.JSON().Append(nil, tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if want := tt.want; string(have) != want {
				t.Errorf("\nwant %s\nhave %s", want, have)
			}
		})
	}
}

func TestMessagesInsideGoStructsSurvive(t *testing.T) {
	t.Parallel()
	want := shipment{
		ID: "1", Big: wrapperspb.Int64(-1 << 63), Wait: []*durationpb.Duration{durationpb.New(5)},
		Type:  descriptorpb.FieldDescriptorProto_TYPE_SINT64,
		Field: map[string]*descriptorpb.FieldDescriptorProto{"price": field()},
	}
	c := proto.JSON()
	data, err := c.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	var have shipment
	if err := c.Decode(data, &have); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if have.ID != want.ID || have.Type != want.Type || !pb.Equal(want.Big, have.Big) || len(have.Wait) != 1 ||
		!pb.Equal(want.Wait[0], have.Wait[0]) || !pb.Equal(want.Field["price"], have.Field["price"]) {
		t.Errorf("want %+v, have %+v, by way of %s", &want, &have, data)
	}
}

func TestUnknownFieldsOfMessagesArePassedOverUnlessRejected(t *testing.T) {
	t.Parallel()
	data := []byte(`{"name":"a","options":{"colour":"red"}}`)
	m := field()
	if err := proto.JSON().Decode(data, m); err != nil || m.GetName() != "a" || m.GetNumber() != 0 {
		t.Errorf("have %v, %v", m, err)
	}
	err := proto.JSON(json.RejectUnknown()).Decode(data, m)
	de, ok := errors.AsType[*codec.DecodeError](err)
	if want := "options.colour: unknown field"; !ok || de.Error() != want {
		t.Errorf("want %q, have %v", want, err)
	}
}

func TestMessagesNestOnlySoDeep(t *testing.T) {
	t.Parallel()
	deep := func(depth int) []byte {
		return append(bytes.Repeat([]byte(`[`), depth), bytes.Repeat([]byte("]"), depth)...)
	}
	c := proto.JSON(json.MaxDepth(10))
	value := samples(t)[6] // a Struct
	if err := c.Decode(append(append([]byte(`{"a":`), deep(9)...), '}'), value); err != nil {
		t.Errorf("deep enough: %v", err)
	}
	if err := c.Decode(append(append([]byte(`{"a":`), deep(10)...), '}'), value); err == nil {
		t.Error("too deep: want an error")
	}
}

func TestTypedRequestsAreDecodedIntoANewMessage(t *testing.T) {
	t.Parallel()
	var m *wrapperspb.Int64Value
	if err := proto.JSON().Decode([]byte(`"5"`), &m); err != nil || m.GetValue() != 5 {
		t.Errorf("have %v, %v", m, err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"field":[{"name":"ü","type":"TYPE_INT64"},{"number":"x"}]}`))
	f.Add([]byte("{\"name\":\n\"\\ud800\"}"))
	c := proto.JSON()
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(descriptorpb.DescriptorProto)
		err := c.Decode(data, m)
		if _, ok := errors.AsType[*codec.DecodeError](err); err != nil && !ok {
			t.Fatalf("%q: have %T %v", data, err, err)
		}
		if err != nil {
			return
		}
		out, err := c.Append(nil, m)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		again := new(descriptorpb.DescriptorProto)
		if err := c.Decode(out, again); err != nil || !pb.Equal(m, again) {
			t.Fatalf("%q became %q: %v", data, out, err)
		}
	})
}

func BenchmarkJSONAppend(b *testing.B) {
	c, m, dst := proto.JSON(), field(), make([]byte, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Append(dst, m); err != nil {
			b.Fatal(err)
		}
	}
}
