package grpctransport

import (
	"bytes"
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ashlar-go/ashlar/status"
)

// JSONDetail begins the type URL of a detail that is no Protocol Buffers message: the name of its type follows, and its value is JSON. What
// stands behind the last slash is no name of a message, so that nobody takes it for one.
const JSONDetail = "github.com/ashlar-go/ashlar/json:"

// anyName is the type of a detail whose message the client does not know.
const anyName = "google.protobuf.Any"

// packDetail returns the detail as it is sent. One whose value is not JSON is left out, as it is from problem details; it is nil.
func packDetail(d status.Detail) *anypb.Any {
	if a := packMessage(d); a != nil {
		return a
	}
	if d.Value != nil && !json.Valid(d.Value) {
		return nil
	}
	return &anypb.Any{TypeUrl: JSONDetail + valid(d.Type), Value: d.Value}
}

// packMessage returns the detail as the message that its type names, so that any client can read it; nil where the client
// could not make the same JSON of that.
func packMessage(d status.Detail) *anypb.Any {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(d.Type))
	if err != nil {
		return nil
	}
	m := t.New().Interface()
	if protojson.Unmarshal(d.Value, m) != nil {
		return nil
	}
	if value := compactJSON(m); value == nil || !bytes.Equal(value, d.Value) {
		return nil
	}
	a := new(anypb.Any)
	if anypb.MarshalFrom(a, m, proto.MarshalOptions{Deterministic: true}) != nil {
		return nil
	}
	return a
}

// appendDetail appends what was sent as d.
func appendDetail(details []status.Detail, d *anypb.Any) []status.Detail {
	if name, ok := strings.CutPrefix(d.GetTypeUrl(), JSONDetail); ok {
		switch value := d.GetValue(); {
		case len(value) == 0:
			return append(details, status.Detail{Type: name})
		case json.Valid(value):
			return append(details, status.Detail{Type: name, Value: value})
		}
	} else if m, err := d.UnmarshalNew(); err == nil {
		if value := compactJSON(m); value != nil {
			return append(details, status.Detail{Type: string(d.MessageName()), Value: value})
		}
	}
	value, err := json.Marshal(struct {
		Type  string `json:"@type"`
		Value []byte `json:"value"`
	}{d.GetTypeUrl(), d.GetValue()})
	if err != nil {
		return details
	}
	return append(details, status.Detail{Type: anyName, Value: value})
}

// compactJSON returns protobuf's JSON of m without the spaces that come and go; nil where there is none.
func compactJSON(m proto.Message) []byte {
	data, err := protojson.Marshal(m)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return nil
	}
	return b.Bytes()
}
