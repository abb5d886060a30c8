package httptransport

import (
	"errors"
	"fmt"
	"net/textproto"
	"reflect"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/internal/scalar"
)

// plan says which part of an HTTP request each field of a request type is. It is compiled once per server or client.
type plan struct {
	fields []field
	body   bodyPart
	index  []int // of the field that is the body, for bodyField
}

// bodyPart is what of a request type is in the body.
type bodyPart uint8

const (
	bodyNone  bodyPart = iota // nothing: all fields are elsewhere
	bodyWhole                 // the value itself; its bound fields do not count
	bodyField                 // one field
)

// source is where a field comes from. Its text is the name of the struct tag.
type source string

const (
	fromPath   source = "path"
	fromQuery  source = "query"
	fromHeader source = "header"
)

var sources = [...]source{fromPath, fromQuery, fromHeader}

// field is a bound field of a request type.
type field struct {
	source    source
	name      string
	label     string // the name as the tag spells it
	goName    string
	index     []int
	required  bool
	omitEmpty bool
	fallback  string // the text of the default tag
	set       scalar.Setter
	setAll    scalar.SliceSetter // instead of set, for a slice
	format    scalar.Formatter   // of the value, or of the slice's elements
}

// newPlan compiles t, which is no pointer.
func newPlan(t reflect.Type) (*plan, error) {
	p := &plan{body: bodyWhole}
	if t.Kind() != reflect.Struct {
		return p, nil
	}
	others, err := p.collect(t, nil)
	if err != nil {
		return nil, fmt.Errorf("binding %v: %w", t, err)
	}
	switch {
	case p.index != nil && others.exported > 0:
		return nil, fmt.Errorf("binding %v: beside the field tagged body, field %s would be in the body too; tag it, or move it into the body",
			t, others.name)
	case p.index != nil:
		p.body = bodyField
	case others.exported == 0 && (len(p.fields) > 0 || others.hidden == 0):
		p.body = bodyNone
	}
	return p, nil
}

// unbound counts the fields of a type that have none of the tags.
type unbound struct {
	exported, hidden int
	name             string // of the first exported one
}

// collect adds the tagged fields of t, embedded structs included.
func (p *plan) collect(t reflect.Type, at []int) (others unbound, err error) {
	for f := range t.Fields() {
		index := append(slices.Clone(at), f.Index...)
		_, isBody := f.Tag.Lookup("body")
		src, tag, bound := sourceOf(f)
		if err := checkTags(f); err != nil {
			return others, err
		}
		switch {
		case bound:
			fd, err := newField(f, src, tag, index)
			if err != nil {
				return others, fmt.Errorf("field %s: %w", f.Name, err)
			}
			if err := p.add(fd); err != nil {
				return others, err
			}
		case f.Tag.Get("default") != "":
			return others, fmt.Errorf("field %s has a default, but is not taken from the path, the query or the header", f.Name)
		case isBody && p.index != nil:
			return others, fmt.Errorf("field %s is the second one tagged body", f.Name)
		case isBody:
			p.index = index
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			inner, err := p.collect(f.Type, index)
			if err != nil {
				return others, err
			}
			others.add(inner)
		case f.IsExported():
			others.add(unbound{exported: 1, name: f.Name})
		default:
			others.hidden++
		}
	}
	return others, nil
}

func (u *unbound) add(other unbound) {
	if u.exported == 0 {
		u.name = other.name
	}
	u.exported += other.exported
	u.hidden += other.hidden
}

func sourceOf(f reflect.StructField) (source, string, bool) {
	for _, s := range sources {
		if tag, ok := f.Tag.Lookup(string(s)); ok {
			return s, tag, true
		}
	}
	return "", "", false
}

func newField(f reflect.StructField, src source, tag string, index []int) (field, error) {
	name, options, _ := strings.Cut(tag, ",")
	if name == "" {
		return field{}, fmt.Errorf("the tag %s has no name", src)
	}
	fd := field{source: src, name: name, goName: f.Name, label: name, index: index, required: src == fromPath}
	if src == fromHeader {
		fd.name = textproto.CanonicalMIMEHeaderKey(name)
		if err := checkHeaderName(fd.name); err != nil {
			return field{}, err
		}
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "required":
			fd.required = true
		case "omitempty":
			fd.omitEmpty = true
		default:
			return field{}, fmt.Errorf("the tag %s has the unknown option %q; known: required, omitempty", src, option)
		}
	}
	elem := f.Type
	var scalarType, sliceType bool
	if fd.set, scalarType = scalar.For(f.Type); !scalarType {
		if fd.setAll, sliceType = scalar.ForSlice(f.Type); sliceType {
			elem = f.Type.Elem()
		}
	}
	var canFormat bool
	fd.format, canFormat = scalar.Format(elem)
	if !scalarType && !sliceType || !canFormat || sliceType && src == fromPath {
		return field{}, fmt.Errorf("a %v cannot be taken from the %s", f.Type, src)
	}
	return fd, fd.setDefault(f)
}

// setDefault takes over the default tag, once it has been seen to fit.
func (fd *field) setDefault(f reflect.StructField) error {
	text, ok := f.Tag.Lookup("default")
	switch {
	case !ok:
		return nil
	case fd.required:
		return errors.New("a required field has no use for a default")
	case fd.setAll != nil:
		return errors.New("a slice cannot have a default")
	}
	fd.fallback = text
	if err := fd.set(reflect.New(f.Type).Elem(), text); err != nil {
		return fmt.Errorf("default: %w", err)
	}
	return nil
}
