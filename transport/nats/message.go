package natstransport

import (
	"errors"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
)

// appendMessage appends the encoding of message. A struct is encoded by its address, as its methods may want.
func appendMessage[T any](c codec.Codec, dst []byte, message T) ([]byte, error) {
	if reflect.TypeFor[T]().Kind() == reflect.Struct {
		return c.Append(dst, &message)
	}
	return c.Append(dst, message)
}

// decodeMessage decodes into a new T; of a pointer type into what a new one points to. A struct without fields needs no bytes.
func decodeMessage[T any](c codec.Codec, data []byte) (message T, err error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer {
		if len(data) == 0 && t.Kind() == reflect.Struct && t.NumField() == 0 {
			return message, nil
		}
		err = c.Decode(data, &message)
		return message, err
	}
	p := reflect.New(t.Elem()).Interface()
	if err := c.Decode(data, p); err != nil {
		return message, err
	}
	return p.(T), nil //nolint:forcetypeassert // it was made so above
}

// decodeRequest is decodeMessage of what a client sent: what is wrong with it is the client's fault.
func decodeRequest[T any](c codec.Codec, data []byte) (T, error) {
	message, err := decodeMessage[T](c, data)
	if wrong, ok := errors.AsType[*codec.DecodeError](err); ok {
		invalid := status.New(status.InvalidArgument, "").WithViolations(wrong.Violations()...)
		err = status.Invalid(errors.Join(invalid, err))
	}
	return message, err
}
