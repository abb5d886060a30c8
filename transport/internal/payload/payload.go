// Package payload encodes and decodes what operations send, of whatever type that is, in the same way on all transports.
package payload

import (
	"errors"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
)

// Append appends the encoding of message to dst. A struct is encoded by its address, as its methods may want.
func Append[T any](c codec.Codec, dst []byte, message T) ([]byte, error) {
	if reflect.TypeFor[T]().Kind() == reflect.Struct {
		return c.Append(dst, &message)
	}
	return c.Append(dst, message)
}

// Decode decodes into a new T; of a pointer type into what a new one points to. A struct without fields needs no bytes.
func Decode[T any](c codec.Codec, data []byte) (message T, err error) {
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

// DecodeRequest is Decode of what a client sent: what is wrong with it is the client's fault, and InvalidArgument.
func DecodeRequest[T any](c codec.Codec, data []byte) (T, error) {
	message, err := Decode[T](c, data)
	if wrong, ok := errors.AsType[*codec.DecodeError](err); ok {
		invalid := status.New(status.InvalidArgument, "").WithViolations(wrong.Violations()...)
		err = status.Invalid(errors.Join(invalid, err))
	}
	return message, err
}
