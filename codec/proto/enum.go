package proto

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ashlar-go/ashlar/codec"
)

// encodeEnum writes the name of an enumeration's value, or its number if it has no name.
func encodeEnum(enc *jsontext.Encoder, e protoreflect.Enum) error {
	if value := e.Descriptor().Values().ByNumber(e.Number()); value != nil {
		return enc.WriteToken(jsontext.String(string(value.Name())))
	}
	return enc.WriteToken(jsontext.Int(int64(e.Number())))
}

// decodeEnum reads a name or a number.
func decodeEnum(dec *jsontext.Decoder, e protoreflect.Enum) error {
	target := reflect.ValueOf(e)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Int32 {
		return fmt.Errorf("%T cannot be set", e)
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case 'n':
		target.Elem().SetInt(0)
		return nil
	case '"':
		if value := e.Descriptor().Values().ByName(protoreflect.Name(token.String())); value != nil {
			target.Elem().SetInt(int64(value.Number()))
			return nil
		}
	case '0':
		if n, err := strconv.ParseInt(token.String(), 10, 64); err == nil && n >= math.MinInt32 && n <= math.MaxInt32 {
			target.Elem().SetInt(n)
			return nil
		}
	}
	return &jsonv2.SemanticError{
		JSONPointer: dec.StackPointer(),
		Err:         &codec.DecodeError{Problem: "want the name or the number of a value of the enumeration"},
	}
}
