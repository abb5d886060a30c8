package msgpack

import (
	"reflect"
	"time"
)

// zoner turns the times of a value to UTC, since the library gives them the zone of the process.
type zoner map[visit]bool

// visit is a pointer, slice or map that was seen.
type visit struct {
	typ     reflect.Type
	address uintptr
	length  int
}

// again reports whether v was seen before, as in a value that holds itself.
func (seen zoner) again(v reflect.Value) bool {
	at := visit{typ: v.Type(), address: v.Pointer()}
	if v.Kind() == reflect.Slice {
		at.length = v.Len()
	}
	again := seen[at]
	seen[at] = true
	return again
}

// value turns the times in v, which has the shape s.
func (seen zoner) value(s *shape, v reflect.Value) {
	if !s.times {
		return
	}
	switch s.kind { //nolint:exhaustive // the others hold no times
	case kindTime:
		if t, _ := reflect.TypeAssert[time.Time](v); t.Location() != time.UTC {
			v.Set(reflect.ValueOf(t.UTC()))
		}
	case kindAny:
		seen.anything(v)
	case kindPointer:
		if !v.IsNil() && !seen.again(v) {
			seen.value(s.elem, v.Elem())
		}
	case kindSlice, kindArray:
		if s.kind == kindSlice && seen.again(v) {
			return
		}
		for i := range v.Len() {
			seen.value(s.elem, v.Index(i))
		}
	case kindMap:
		if !seen.again(v) {
			seen.mapping(s.elem, v)
		}
	case kindStruct:
		for i, index := range s.index {
			if s.fields[i].times {
				seen.value(s.fields[i], v.FieldByIndex(index))
			}
		}
	}
}

// mapping turns the times in the map m, whose values cannot be changed where they are.
func (seen zoner) mapping(elem *shape, m reflect.Value) {
	for _, key := range m.MapKeys() {
		if old := m.MapIndex(key); old.IsValid() { // that of NaN is not
			v := reflect.New(old.Type()).Elem()
			v.Set(old)
			seen.value(elem, v)
			m.SetMapIndex(key, v)
		}
	}
}

// anything turns the times in what the library makes for an interface.
func (seen zoner) anything(v reflect.Value) {
	switch held := v.Elem(); v.Interface().(type) {
	case time.Time:
		t, _ := reflect.TypeAssert[time.Time](held)
		v.Set(reflect.ValueOf(t.UTC()))
	case []any:
		if !seen.again(held) {
			for i := range held.Len() {
				seen.anything(held.Index(i))
			}
		}
	case map[string]any:
		if !seen.again(held) {
			seen.mapping(&shape{kind: kindAny, times: true}, held)
		}
	}
}

// findTimes marks the shapes that may hold times.
func (made shaper) findTimes() {
	for found := true; found; {
		found = false
		for _, s := range made {
			if !s.times && s.mayHoldTimes() {
				s.times, found = true, true
			}
		}
	}
}

func (s *shape) mayHoldTimes() bool {
	if s.kind == kindTime || s.kind == kindAny || s.elem != nil && s.elem.times {
		return true
	}
	for _, f := range s.fields {
		if f.times {
			return true
		}
	}
	return false
}
