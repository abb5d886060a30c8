package httptransport

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

// checkTags refuses tags that contradict each other, and tags that nothing would read, since the body could then set what was meant to
// come from elsewhere.
func checkTags(f reflect.StructField) error {
	tags := tagsOf(f)
	switch {
	case len(tags) > 1:
		return fmt.Errorf("field %s has the tags %s", f.Name, strings.Join(tags, " and "))
	case len(tags) == 1 && !f.IsExported():
		return fmt.Errorf("field %s is tagged, but not exported", f.Name)
	case len(tags) == 1 && tags[0] != "body":
		return nil
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	} else if f.Anonymous && len(tags) == 0 {
		return nil // its fields count as those of the struct that it is in
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for inner := range t.Fields() {
		if len(tagsOf(inner)) == 0 {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Pointer {
			return fmt.Errorf("field %s: its fields are tagged, but it is embedded by pointer", f.Name)
		}
		return fmt.Errorf("field %s: its field %s is tagged, but %s is not embedded", f.Name, inner.Name, f.Name)
	}
	return nil
}

// tagsOf returns those of the tags of this package that f has.
func tagsOf(f reflect.StructField) (tags []string) {
	for _, s := range sources {
		if _, ok := f.Tag.Lookup(string(s)); ok {
			tags = append(tags, string(s))
		}
	}
	if _, ok := f.Tag.Lookup("body"); ok {
		tags = append(tags, "body")
	}
	return tags
}

// checkHeaderName refuses what is no name, and the fields that net/http does not pass on.
func checkHeaderName(name string) error {
	if !fieldrule.IsName(name) {
		return fmt.Errorf("%q is no name of a header field", name)
	}
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return fmt.Errorf("net/http keeps %s for itself", name)
	}
	return nil
}

// add adds a field, unless another one has taken its text already.
func (p *plan) add(fd field) error {
	for i := range p.fields {
		if other := &p.fields[i]; other.source == fd.source && other.name == fd.name {
			return fmt.Errorf("fields %s and %s are both taken from the %s as %q", other.goName, fd.goName, fd.source, fd.name)
		}
	}
	p.fields = append(p.fields, fd)
	return nil
}
