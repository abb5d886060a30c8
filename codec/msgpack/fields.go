package msgpack

import (
	"reflect"
	"slices"

	"github.com/vmihailenco/tagparser/v2"
)

// field is a field of a struct, or of one embedded in it.
type field struct {
	name, alias string
	shape       *shape
	index       []int
}

// addFields adds the fields of the struct s, named and ordered as the library does.
func (made shaper) addFields(s *shape) {
	fields, inlined := made.fieldsOf(s.typ, nil)
	s.length = len(fields)
	s.names = make(map[string]int, len(fields))
	for i, f := range fields {
		s.fields, s.index = append(s.fields, f.shape), append(s.index, f.index)
		s.names[f.name] = i
		if f.alias != "" {
			s.names[f.alias] = i
		}
	}
	for _, name := range inlined { // the library reads an embedded struct under its own name, too
		if _, taken := s.names[name]; !taken {
			s.names[name] = len(s.fields)
		}
	}
	if len(inlined) > 0 {
		s.fields = append(s.fields, &shape{typ: s.typ})
	}
}

// fieldsOf returns the fields of t, and the names of the embedded structs among them that are inlined. The types in within
// embed t.
func (made shaper) fieldsOf(t reflect.Type, within []reflect.Type) (fields []field, inlined []string) {
	for f := range t.Fields() {
		text := f.Tag.Get("msgpack")
		if text == "" {
			text = f.Tag.Get(fallbackTag)
		}
		tag := tagparser.Parse(text)
		if tag.Name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		name := tag.Name
		if name == "" {
			name = f.Name
		}
		if f.Anonymous && !tag.HasOption("noinline") && !slices.Contains(within, f.Type) {
			if promoted, ok := made.promoted(f, append(within, t), fields, tag.HasOption("inline")); ok {
				fields, inlined = append(fields, promoted...), append(inlined, name)
				continue
			}
		}
		this := field{name: name, alias: tag.Options["alias"], shape: made.shape(f.Type), index: f.Index}
		if !f.IsExported() || tag.HasOption("intern") {
			this.shape = &shape{typ: f.Type}
		}
		fields = append(fields, this)
	}
	return fields, inlined
}

// promoted returns the fields of an embedded struct, and false if the library does not inline it: if it has methods of its
// own, or hides a field that came before, unless the tag insists.
func (made shaper) promoted(f reflect.StructField, within []reflect.Type, before []field, insists bool) ([]field, bool) {
	t, indirect := f.Type, f.Type.Kind() == reflect.Pointer
	if indirect {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(within, t) || implements(t, slices.Concat(customTypes, textTypes, encodeTypes)) {
		return nil, false
	}
	fields, _ := made.fieldsOf(t, within)
	shadows := func(f field) bool {
		return slices.ContainsFunc(before, func(b field) bool { return b.name == f.name })
	}
	if !insists && slices.ContainsFunc(fields, shadows) {
		return nil, false
	}
	fields = slices.DeleteFunc(fields, shadows)
	for i := range fields {
		fields[i].index = slices.Concat(f.Index, fields[i].index)
		if indirect { // the library allocates these on a goroutine that never ends
			fields[i].shape = &shape{typ: f.Type}
		}
	}
	return fields, true
}
