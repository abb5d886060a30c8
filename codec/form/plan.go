package form

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/internal/scalar"
)

// plan is what a type consists of.
type plan struct {
	fields []*field
	byName map[string]*field
	maps   []*field // those whose names only begin with their own
	err    error    // why the type has no form
}

// field is a field of a struct or of a struct in it, or the map that is the whole document.
type field struct {
	name      string // such as address.city; of a map with the dot behind it, if it has a name
	index     []int
	typ       reflect.Type
	omitEmpty bool

	set    scalar.Setter      // of a scalar
	setAll scalar.SliceSetter // of a slice of scalars
	format scalar.Formatter   // of a scalar, or of the elements of a slice
	elem   *field             // of a map: what it maps to
	// blank says that an empty text stands for nothing.
	blank bool
}

// plan returns the plan of t, which is made once.
func (c *Codec) plan(t reflect.Type) (*plan, error) {
	if known, ok := c.plans.Load(t); ok {
		p, _ := known.(*plan)
		return p, p.err
	}
	p := &plan{byName: make(map[string]*field)}
	switch {
	case t == nil:
		p.err = errors.New("nil has no form")
	case t.Kind() == reflect.Map:
		p.err = p.add(&field{typ: t}, nil)
	case t.Kind() != reflect.Struct:
		p.err = fmt.Errorf("%v is no struct and no map", t)
	default:
		p.err = p.addStruct(t, "", nil, nil)
	}
	c.plans.Store(t, p)
	return p, p.err
}

// addStruct adds the fields of t, and those of embedded structs behind them, so that the outer ones win.
func (p *plan) addStruct(t reflect.Type, prefix string, index []int, outer []reflect.Type) error {
	if slices.Contains(outer, t) {
		return fmt.Errorf("%v holds itself", t)
	}
	outer = append(outer, t)
	var embedded []reflect.StructField
	for f := range t.Fields() {
		name, omitEmpty := fieldName(f)
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && name == "" && indirect(f.Type).Kind() == reflect.Struct {
			if _, isScalar := scalar.For(f.Type); !isScalar {
				embedded = append(embedded, f)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		added := &field{name: prefix + name, index: slices.Concat(index, f.Index), typ: f.Type, omitEmpty: omitEmpty}
		if err := p.add(added, outer); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for _, f := range embedded {
		if !f.IsExported() && f.Type.Kind() == reflect.Pointer {
			return fmt.Errorf("%s: a pointer to an embedded struct that is not exported cannot be set", f.Name)
		}
		if err := p.addStruct(indirect(f.Type), prefix, slices.Concat(index, f.Index), outer); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// add adds f, whose name, index and type are known.
func (p *plan) add(f *field, outer []reflect.Type) error {
	if f.compile() {
		p.insert(f)
		return nil
	}
	t := indirect(f.typ)
	switch {
	case t.Kind() == reflect.Struct:
		return p.addStruct(t, f.name+".", f.index, outer)
	case f.typ.Kind() == reflect.Map && f.typ.Key().Kind() == reflect.String:
		f.elem = &field{typ: f.typ.Elem()}
		if f.elem.compile() {
			if f.name != "" {
				f.name += "."
			}
			p.insert(f)
			return nil
		}
	}
	return fmt.Errorf("%v has no form", f.typ)
}

func (p *plan) insert(f *field) {
	if _, taken := p.byName[f.name]; taken {
		return
	}
	p.byName[f.name] = f
	p.fields = append(p.fields, f)
	if f.elem != nil {
		p.maps = append(p.maps, f)
	}
}

// compile reports whether f is a scalar or a slice of scalars.
func (f *field) compile() bool {
	set, canSet := scalar.For(f.typ)
	format, canFormat := scalar.Format(f.typ)
	if canSet && canFormat {
		f.set, f.format = set, format
		f.blank = f.typ.Kind() == reflect.Pointer && f.typ.Elem().Kind() != reflect.String
		return true
	}
	setAll, canSet := scalar.ForSlice(f.typ)
	if !canSet || f.typ.Elem().Kind() == reflect.Pointer {
		return false
	}
	format, canFormat = scalar.Format(f.typ.Elem())
	f.setAll, f.format = setAll, format
	return canFormat
}

// find returns the field that a name means, and the key if that is a map.
func (p *plan) find(name string) (f *field, key string) {
	if f, ok := p.byName[name]; ok && f.elem == nil {
		return f, ""
	}
	for _, m := range p.maps {
		if strings.HasPrefix(name, m.name) && (f == nil || len(m.name) > len(f.name)) {
			f, key = m, name[len(m.name):]
		}
	}
	return f, key
}

func fieldName(f reflect.StructField) (name string, omitEmpty bool) {
	tag, ok := f.Tag.Lookup("form")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, options, _ := strings.Cut(tag, ",")
	return name, slices.Contains(strings.Split(options, ","), "omitempty")
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
