// Package json is the JSON encoding with the semantics of encoding/json/v2.
package json

import (
	"bytes"

	"github.com/go-json-experiment/json"
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

func (Codec) Decode(data []byte, v any) error { return json.Unmarshal(data, v) }
