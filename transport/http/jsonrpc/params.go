package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/docpath"
	"github.com/ashlar-go/ashlar/status"
)

// params reads and writes requests of one type. It is made once per method.
type params struct {
	codec   codec.Codec
	shape   shape
	fields  []string // byField: the names of the fields; nil where they cannot be told apart
	quoted  []string // the same as JSON
	byField bool     // writes a struct by position
}

func newParams(t reflect.Type, c codec.Codec) params {
	p := params{codec: c}
	p.shape, p.fields = shapeOf(t)
	for _, field := range p.fields {
		p.quoted = append(p.quoted, string(appendText(nil, field)))
	}
	return p
}

// decode reads raw into what target points to. Its errors are for the caller.
func (p *params) decode(raw []byte, target any) error {
	var err error
	switch {
	case p.shape == alone:
		err = p.decodeOne(raw, target)
	case raw == nil:
		err = p.decodeNone(target)
	case p.shape == byField && raw[0] == '[':
		err = p.decodeFields(raw, target)
	default:
		err = p.codec.Decode(raw, target)
	}
	if e, ok := errors.AsType[*codec.DecodeError](err); ok {
		return invalidParams(e, "")
	}
	return err
}

// invalidParams is what the caller is told of params that do not fit; at is where e's document stands in them.
func invalidParams(e *codec.DecodeError, at string) error {
	all := e.Violations()
	wrong := make([]error, len(all))
	for i, v := range all {
		v.Field = docpath.Join(at, v.Field)
		wrong[i] = v
	}
	return status.Invalid(errors.Join(wrong...))
}

// decodeNone decodes what params that are missing stand for.
func (p *params) decodeNone(target any) error {
	switch p.shape {
	case byField, byMember:
		return p.codec.Decode([]byte("{}"), target)
	case byIndex:
		return p.codec.Decode([]byte("[]"), target)
	}
	return nil
}

// decodeOne decodes the one parameter.
func (p *params) decodeOne(raw []byte, target any) error {
	const want = "want one parameter by position"
	if raw == nil || raw[0] != '[' {
		have := "none"
		if raw != nil {
			have = name(kindOf(raw))
		}
		return &codec.DecodeError{Problem: want + ", have " + have}
	}
	elements := split(raw)
	if len(elements) != 1 {
		return &codec.DecodeError{Problem: fmt.Sprintf("%s, have %d", want, len(elements))}
	}
	err := p.codec.Decode(elements[0], target)
	if e, ok := errors.AsType[*codec.DecodeError](err); ok {
		return invalidParams(e, docpath.Index(0, ""))
	}
	return err
}

// decodeFields decodes an array as an object with the fields in their order.
func (p *params) decodeFields(raw []byte, target any) error {
	elements := split(raw)
	switch {
	case p.fields == nil:
		return &codec.DecodeError{Problem: "want the parameters by name, have an array"}
	case len(elements) > len(p.fields):
		return &codec.DecodeError{Problem: fmt.Sprintf("want at most %d parameters, have %d", len(p.fields), len(elements))}
	}
	const perField = 4 // a colon, a comma and braces
	size := len(raw) + perField
	for i := range elements {
		size += len(p.quoted[i]) + perField
	}
	object := append(make([]byte, 0, size), '{')
	for i, element := range elements {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(object, p.quoted[i]...)
		object = append(object, ':')
		object = append(object, element...)
	}
	return p.codec.Decode(append(object, '}'), target)
}

// split returns the elements of an array that has been read before.
func split(array []byte) (elements [][]byte) {
	p := newParser(array)
	defer p.free()
	for err := p.token(); err == nil && p.kind() != ']'; {
		var element []byte
		if element, err = p.value(); err == nil {
			elements = append(elements, element)
		}
	}
	return elements
}

// append appends the member params with the encoding of request, or nothing where there are none.
func (p *params) append(dst []byte, request any) ([]byte, error) {
	if p.shape == byField && p.fields != nil && len(p.fields) == 0 {
		return dst, nil
	}
	before := len(dst)
	dst = append(dst, `,"params":`...)
	if p.shape == alone {
		dst = append(dst, '[')
	}
	begin := len(dst)
	dst, err := p.codec.Append(dst, request)
	if err != nil {
		return dst, err
	}
	switch k := kindOf(dst[begin:]); {
	case p.shape == alone:
		return append(dst, ']'), nil
	case k == 'n':
		return dst[:before], nil
	case k == '{' && p.shape == byField && p.byField:
		return p.appendFields(dst[:begin], dst[begin:]), nil
	case k != '{' && k != '[':
		return dst, fmt.Errorf("params must be an object or an array, and %T is %s", request, name(k))
	}
	return dst, nil
}

// appendFields appends the fields of an object in their order. Those that it does not have are null, and left out at the end.
func (p *params) appendFields(dst, object []byte) []byte {
	members := make(map[string]jsontext.Value, len(p.fields))
	r := newParser(bytes.Clone(object)) // dst grows over it
	defer r.free()
	for err := r.token(); err == nil && r.kind() != '}'; {
		var key, value []byte
		if key, err = r.value(); err == nil {
			if value, err = r.value(); err == nil {
				members[string(text(key))] = value
			}
		}
	}
	end := len(p.fields)
	for end > 0 && members[p.fields[end-1]] == nil {
		end--
	}
	dst = append(dst, '[')
	for i, name := range p.fields[:end] {
		if i > 0 {
			dst = append(dst, ',')
		}
		if value := members[name]; value != nil {
			dst = append(dst, value...)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, ']')
}
