package natstransport

import (
	"fmt"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

// apply applies options, of any of the sides, to what they set up.
func apply[C any, O ~func(*C) error](config *C, opts []O) error {
	if err := refuseNil("the list of options", opts); err != nil {
		return err
	}
	for _, opt := range opts {
		if err := opt(config); err != nil {
			return err
		}
	}
	return nil
}

// refuseNil refuses a nil function among those that an option was given.
func refuseNil[F any](option string, functions []F) error {
	for i, f := range functions {
		if reflect.ValueOf(f).IsNil() {
			return fmt.Errorf("%s: function %d is nil", option, i)
		}
	}
	return nil
}

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
