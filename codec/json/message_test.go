package json_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

type holder struct {
	Ready bool                 `json:"ready"`
	Next  *holder              `json:"next"`
	Wait  *durationpb.Duration `json:"wait"`
}

type hider struct {
	Wait *durationpb.Duration `json:"-"`
	wait *durationpb.Duration //nolint:unused // it must not be looked at
}

// Plain encoding would write int64 as a number, an enum as its number and a duration as an object.
func TestProtobufMessagesAreRefusedAndCodecProtoNamed(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"a message":            durationpb.New(1),
		"in a struct":          &holder{},
		"by value":             holder{},
		"in a slice":           &[]*durationpb.Duration{},
		"in a map":             map[string]*durationpb.Duration{},
		"in an array":          &[1][]holder{},
		"by interface":         &struct{ M proto.Message }{},
		"of a type of its own": &struct{ holder }{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := json.New()
			for range 2 { // the second time the answer is known
				if _, err := c.Append(nil, v); err == nil || !strings.Contains(err.Error(), "codec/proto") {
					t.Errorf("Append: want an error that names codec/proto, have %v", err)
				}
				err := c.Decode([]byte("{}"), v)
				if err == nil || !strings.Contains(err.Error(), "codec/proto") {
					t.Errorf("Decode: want an error that names codec/proto, have %v", err)
				}
				if _, ok := errors.AsType[*codec.DecodeError](err); ok {
					t.Error("Decode: want no *codec.DecodeError, since the sender did nothing wrong")
				}
			}
		})
	}
}

func TestMessagesInsideInterfacesAreRefused(t *testing.T) {
	t.Parallel()
	type data struct{ Data any }
	var nothing *durationpb.Duration
	field := &descriptorpb.FieldDescriptorProto{}
	for name, v := range map[string]any{
		"in a map":            map[string]any{"m": wrapperspb.Int64(1 << 60)},
		"in a list":           []any{1, durationpb.New(1)},
		"in a struct":         data{durationpb.New(1)},
		"behind a pointer":    &data{&data{durationpb.New(1)}},
		"inside what is held": map[string]any{"h": []holder{{Wait: durationpb.New(1)}}},
		"a dynamic one":       []any{dynamicpb.NewMessage(field.ProtoReflect().Descriptor())},
		"of an interface":     []interface{ String() string }{durationpb.New(1)},
	} {
		for _, c := range []*json.Codec{json.New(), json.New(json.Options(jsontext.EscapeForHTML(true)))} {
			for _, room := range []int{0, 1000} {
				dst, err := c.Append(make([]byte, 0, room), v)
				if err == nil || !strings.Contains(err.Error(), "codec/proto") || len(dst) > 0 {
					t.Errorf("%s: want an error that names codec/proto, have %s, %v", name, dst, err)
				}
			}
		}
	}
	have, err := json.New().Append(nil, []any{nothing, structpb.NewBoolValue(true)})
	if want := "[null,true]"; err != nil || string(have) != want {
		t.Errorf("no message, and one that knows its JSON: want %s, have %s, %v", want, have, err)
	}
}

func TestMessagesThatKnowTheirJSONAreNotRefused(t *testing.T) {
	t.Parallel()
	value, err := structpb.NewValue(map[string]any{"a": true})
	if err != nil {
		t.Fatal(err)
	}
	for want, v := range map[string]any{
		`{"a":true}`: value, // has MarshalJSON
		`{}`:         &hider{},
	} {
		have, err := json.New().Append(nil, v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		} else if strings.ReplaceAll(string(have), " ", "") != want {
			t.Errorf("want %s, have %s", want, have)
		}
	}
}
