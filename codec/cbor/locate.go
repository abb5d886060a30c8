package cbor

import (
	"encoding"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

// maxDescent is how many levels locate goes down. Each costs as much as decoding the document up to what fails, at most.
const maxDescent = 16

// leaf is the smallest value that cannot be decoded.
type leaf struct {
	path string
	data []byte
	typ  reflect.Type
	err  error
}

// locate returns where decoding data, which is well-formed, into a t fails: it decodes the parts one by one. The library
// does not say.
func (c *Codec) locate(data []byte, t reflect.Type) *leaf {
	l := c.descend(data, t, maxDescent)
	if l == nil { // it fails only where something was there before
		l = &leaf{data: data, typ: indirect(t)}
	}
	return l
}

// descend returns nil if decoding does not fail.
func (c *Codec) descend(data []byte, t reflect.Type, levels int) *leaf {
	err := c.dec.Unmarshal(data, reflect.New(t).Interface())
	if err == nil {
		return nil
	}
	t = indirect(t)
	here := &leaf{data: data, typ: t, err: err}
	content := untagged(data)
	if levels == 0 || hasMethods(t) || len(content) == 0 {
		return here
	}
	switch major, _, _ := head(content); major {
	case majorArray:
		if elem, ok := element(t); ok {
			i := 0
			for part := range c.parts(content) {
				if l := c.descend(part, elem, levels-1); l != nil {
					l.path = docpath.Index(i, l.path)
					return l
				}
				i++
			}
		}
	case majorMap:
		if member, ok := members(t); ok {
			return c.descendMap(content, here, member, levels)
		}
	}
	return here
}

// descendMap looks into the members, and returns here if none of them fails.
func (c *Codec) descendMap(content []byte, here *leaf, member func(name string) reflect.Type, levels int) *leaf {
	name, isKey, pair := "", true, 0
	duplicate, _ := errors.AsType[*cbor.DupMapKeyError](here.err)
	unknown, _ := errors.AsType[*cbor.UnknownFieldError](here.err)
	for part := range c.parts(content) {
		if isKey {
			name, isKey = c.name(part), false
			continue
		}
		if t := member(name); t != nil {
			if l := c.descend(part, t, levels-1); l != nil {
				l.path = docpath.Member(name, l.path)
				return l
			}
		}
		if duplicate != nil && duplicate.Index == pair || unknown != nil && unknown.Index == pair {
			here.path = docpath.Member(name, "")
			return here
		}
		isKey = true
		pair++
	}
	return here
}

// name returns what to call a member whose key is data.
func (c *Codec) name(data []byte) string {
	var name string
	if c.dec.Unmarshal(data, &name) == nil {
		return name
	}
	return have(data)
}

func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// element returns the type of the elements of what an array is decoded into.
func element(t reflect.Type) (reflect.Type, bool) {
	switch t.Kind() { //nolint:exhaustive // the others have no elements
	case reflect.Slice, reflect.Array:
		return t.Elem(), t.Elem().Kind() != reflect.Uint8
	case reflect.Interface:
		return t, t.NumMethod() == 0
	}
	return nil, false
}

// members returns a function for the types of the members of what a map is decoded into: nil for those that are passed
// over.
func members(t reflect.Type) (func(name string) reflect.Type, bool) {
	switch t.Kind() { //nolint:exhaustive // the others have no members
	case reflect.Map:
		return func(string) reflect.Type { return t.Elem() }, true
	case reflect.Interface:
		return func(string) reflect.Type { return t }, t.NumMethod() == 0
	case reflect.Struct:
		fields := make(map[string]reflect.Type)
		for _, f := range reflect.VisibleFields(t) {
			name, tagged := fieldName(f)
			if _, taken := fields[name]; !taken && f.IsExported() && (!f.Anonymous || tagged) {
				fields[name] = f.Type
			}
		}
		return func(name string) reflect.Type { return fields[name] }, true
	}
	return nil, false
}

// fieldName returns the name of a field, and whether a tag gives it.
func fieldName(f reflect.StructField) (string, bool) {
	tag, ok := f.Tag.Lookup("cbor")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, options, _ := strings.Cut(tag, ",")
	if name == "" {
		return f.Name, false
	}
	if strings.Contains(options, "keyasint") {
		if n, err := strconv.Atoi(name); err == nil {
			name = strconv.Itoa(n)
		}
	}
	return name, true
}

// hasMethods reports whether t decodes itself.
func hasMethods(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() != reflect.Interface && (p.Implements(reflect.TypeFor[cbor.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()))
}
