package scalar

import (
	"errors"
	"reflect"
)

// SliceSetter replaces v, a settable slice, by one new element per text. It fails at the first text that does not fit, with
// an *Error that has its index, and then leaves v as it was. It is safe for concurrent use.
type SliceSetter func(v reflect.Value, texts []string) error

// ForSlice returns the setter of t, and false unless t is a slice of scalars that is not a scalar itself, as []byte is.
func ForSlice(t reflect.Type) (SliceSetter, bool) {
	if t.Kind() != reflect.Slice || setter(t) != nil {
		return nil, false
	}
	set, ok := For(t.Elem())
	if !ok {
		return nil, false
	}
	return func(v reflect.Value, texts []string) error {
		s := reflect.MakeSlice(t, len(texts), len(texts))
		for i, text := range texts {
			if err := set(s.Index(i), text); err != nil {
				if e, ok := errors.AsType[*Error](err); ok {
					e.Index = i
				}
				return err
			}
		}
		v.Set(s)
		return nil
	}, true
}
