package natstransport

import (
	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

// encodings are the codecs of one side.
type encodings struct {
	set   *codec.Set
	plain codec.Codec // of messages that do not say what they are
}

// setCodecs is what ServerCodecs and ClientCodecs do.
func (e *encodings) setCodecs(codecs []codec.Codec) error {
	set, err := codec.NewSet(codecs...)
	if err != nil {
		return err
	}
	e.set = set
	if e.plain, err = set.ForType(jsonType); err != nil {
		e.plain = set.Default()
	}
	return nil
}

// complete sets the default.
func (e *encodings) complete() error {
	if e.set != nil {
		return nil
	}
	return e.setCodecs([]codec.Codec{json.New()})
}

// read returns the codec of a message with that Content-Type, and the Content-Type of an answer in the same encoding.
func (e *encodings) read(contentType string) (codec.Codec, string, error) {
	if contentType == "" {
		return e.plain, typeOf(e.plain), nil
	}
	c, err := e.set.ForType(contentType)
	if err != nil {
		return nil, "", err
	}
	return c, typeOf(c), nil
}

// jsonType is what a message is in that does not say it.
const jsonType = "application/json"

// typeOf returns what Content-Type says of messages of the codec: "" for JSON.
func typeOf(c codec.Codec) string {
	if t := c.ContentTypes()[0]; t != jsonType {
		return t
	}
	return ""
}
