package jsonrpc

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// Method is a method that a client can call in a Batch. NewMethod makes it, once for all batches. It is safe for concurrent use.
type Method[Req, Resp any] struct {
	caller

	codec codec.Codec
	elem  reflect.Type // what Resp points to, nil when it is no pointer
	empty bool         // Resp is struct{}: whatever the result is, it does not matter
}

// caller writes the calls of one method.
type caller struct {
	operation string
	quoted    []byte
	params    params
	pointer   bool // encoders take a pointer to the request without another copy
}

// NewMethod returns the method of that Spec. It fails when spec.Kind is set and is not Unary, and when an option is wrong, as ClientHTTP
// is here.
func NewMethod[Req, Resp any](spec endpoint.Spec, opts ...ClientOption) (*Method[Req, Resp], error) {
	m, config, err := newMethod[Req, Resp](spec, opts)
	if err == nil && len(config.http) > 0 {
		err = errors.New("ClientHTTP is for a client; give NewBatcher its options")
	}
	if err != nil {
		return nil, fmt.Errorf("jsonrpc: method %s: %w", spec.Operation(), err)
	}
	return m, nil
}

func newMethod[Req, Resp any](spec endpoint.Spec, opts []ClientOption) (*Method[Req, Resp], *clientConfig, error) {
	if err := refuseStreams(spec); err != nil {
		return nil, nil, err
	}
	config, err := newClientConfig(opts)
	if err != nil {
		return nil, nil, err
	}
	name := config.name
	if name == "" {
		name = spec.Operation()
	}
	if name == "" {
		return nil, nil, errors.New("neither the Spec nor ClientName names the method")
	}
	t := reflect.TypeFor[Req]()
	m := &Method[Req, Resp]{codec: config.codec, empty: reflect.TypeFor[Resp]() == reflect.TypeFor[struct{}]()}
	m.caller = caller{
		operation: spec.Operation(), quoted: appendText(nil, name), params: newParams(t, config.codec), pointer: t.Kind() == reflect.Struct,
	}
	if m.params.byField = config.byPosition; config.byPosition && m.params.fields == nil {
		return nil, nil, fmt.Errorf("ClientByPosition: %v is no struct whose fields have names of their own", t)
	}
	if t := reflect.TypeFor[Resp](); t.Kind() == reflect.Pointer {
		m.elem = t.Elem()
	}
	return m, config, nil
}

// append appends a call; with the id 0 a notification.
func (c *caller) append(dst []byte, request any, id uint64) ([]byte, error) {
	dst = append(dst, `{"jsonrpc":"2.0","method":`...)
	dst = append(dst, c.quoted...)
	dst, err := c.params.append(dst, request)
	if err != nil {
		return dst, err
	}
	if id > 0 {
		dst = strconv.AppendUint(append(dst, `,"id":`...), id, 10)
	}
	return append(dst, '}'), nil
}

// decode decodes a result.
func (m *Method[Req, Resp]) decode(result []byte) (response Resp, err error) {
	if m.empty {
		return response, nil
	}
	var target any = &response
	if m.elem != nil {
		target = reflect.New(m.elem).Interface()
		response, _ = target.(Resp)
	}
	if err := m.codec.Decode(result, target); err != nil {
		var none Resp
		return none, unreadable(m.operation, fmt.Errorf("the result: %w", err))
	}
	return response, nil
}

// unreadable is the error of an answer that is none.
func unreadable(operation string, err error) *status.Error {
	return status.Errorf(status.Internal, "the answer of %s could not be read: %v", operation, err).WithCause(err)
}
