package xml

import (
	"encoding"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
)

// check returns an error if no document stands for a t.
func (c *Codec) check(t reflect.Type) error {
	if t == nil {
		return errors.New("nil has no XML")
	}
	if known, ok := c.types.Load(t); ok {
		err, _ := known.(error)
		return err
	}
	err := checkRoot(t)
	c.types.Store(t, err)
	return err
}

func checkRoot(t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && !hasMethods(t) {
		return errors.New("a slice has no root element; make it a field of a struct")
	}
	return checkType(t, make(map[reflect.Type]bool))
}

func checkType(t reflect.Type, seen map[reflect.Type]bool) error {
	if seen[t] || hasMethods(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() { //nolint:exhaustive // the others have a form
	case reflect.Map, reflect.Chan, reflect.Func, reflect.Array, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("XML has no form for %v", t)
	case reflect.Pointer, reflect.Slice:
		return checkType(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if f.Tag.Get("xml") == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if err := checkType(f.Type, seen); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

// hasMethods reports whether t reads or writes itself.
func hasMethods(t reflect.Type) bool {
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		t = reflect.PointerTo(t)
	}
	return t.Implements(reflect.TypeFor[xml.Unmarshaler]()) || t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		t.Implements(reflect.TypeFor[xml.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
