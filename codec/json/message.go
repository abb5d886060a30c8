package json

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// marked is what a Protocol Buffers message is to a package that does not depend on theirs.
type marked interface{ ProtoMessage() }

// refusing returns the options for types that may hold a message that only the value shows, such as any: it is refused where
// it is found. It returns nil if messages are not refused.
func (s *settings) refusing(options json.Options) []json.Options {
	if s.marshalers != nil {
		return nil
	}
	marshalers, _ := json.GetOption(options, json.WithMarshalers)
	return []json.Options{json.JoinOptions(options,
		json.WithMarshalers(json.JoinMarshalers(marshalers, json.MarshalToFunc(refuse))))}
}

func refuse(_ *jsontext.Encoder, v marked) error {
	t := reflect.TypeOf(v)
	if !isMessage(t) || has(t, jsonMethods) {
		return errors.ErrUnsupported // which leaves it to the library
	}
	return refused(t)
}

func refused(t reflect.Type) error {
	return fmt.Errorf("%v is a Protocol Buffers message, whose JSON has rules of its own: use the codec of package codec/proto", t)
}

// isMessage reports whether t or a pointer to it is a proto.Message, without depending on that package.
func isMessage(t reflect.Type) bool {
	_, ok := t.MethodByName("ProtoReflect")
	if !ok && t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		_, ok = reflect.PointerTo(t).MethodByName("ProtoReflect")
	}
	return ok
}

// isEnum reports whether t is a protoreflect.Enum.
func isEnum(t reflect.Type) bool {
	if t.Kind() != reflect.Int32 {
		return false
	}
	_, descriptor := t.MethodByName("Descriptor")
	_, number := t.MethodByName("Number")
	return descriptor && number
}
