package grpctransport

import (
	"encoding/json"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoiface"

	"github.com/ashlar-go/ashlar/internal/buffer"
)

// reply is a response that has been encoded. To grpc-go, which encodes what a method returns when nobody can be told any more that
// this failed, it is a message whose encoding is at hand.
type reply struct {
	protoreflect.Message // of the response

	encoded *buffer.Buffer // nil once it has been taken
}

// encode encodes m.
func (r *reply) encode(m proto.Message) (size int, err error) {
	buf := buffer.Get()
	if buf.B, err = (proto.MarshalOptions{}).MarshalAppend(buf.B, m); err != nil {
		buf.Free()
		return 0, err
	}
	r.Message, r.encoded = m.ProtoReflect(), buf
	return len(buf.B), nil
}

// ProtoReflect implements proto.Message.
func (r *reply) ProtoReflect() protoreflect.Message { return r }

// ProtoMethods implements protoreflect.Message.
func (*reply) ProtoMethods() *protoiface.Methods { return &replyMethods }

var replyMethods = protoiface.Methods{
	Size: func(in protoiface.SizeInput) (out protoiface.SizeOutput) {
		if r, ok := in.Message.(*reply); ok {
			out.Size = r.size()
		}
		return out
	},
	Marshal: func(in protoiface.MarshalInput) (out protoiface.MarshalOutput, err error) {
		if r, ok := in.Message.(*reply); ok {
			out.Buf, err = r.appendTo(in.Buf)
		}
		return out, err
	},
	CheckInitialized: func(protoiface.CheckInitializedInput) (out protoiface.CheckInitializedOutput, err error) {
		return out, nil // encode has seen to it
	},
}

// MarshalJSON is for codecs of JSON, which would find the fields of the reply.
func (r *reply) MarshalJSON() ([]byte, error) { return json.Marshal(r.Interface()) }

func (r *reply) size() int {
	if r.encoded == nil {
		return proto.Size(r.Interface())
	}
	return len(r.encoded.B)
}

// appendTo appends the encoding to dst. It is at hand once; tools that look at what grpc-go sends may want it again.
func (r *reply) appendTo(dst []byte) ([]byte, error) {
	if r.encoded == nil {
		return proto.MarshalOptions{}.MarshalAppend(dst, r.Interface())
	}
	dst = append(dst, r.encoded.B...)
	r.encoded.Free()
	r.encoded = nil
	return dst, nil
}
