package httptransport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"github.com/ashlar-go/ashlar/codec"
)

// writer makes HTTP requests of requests of type Req: the reverse of binder.
type writer[Req any] struct {
	plan      *plan
	pointer   bool
	byPointer bool
	codec     codec.Codec
	route     *route
	base      *url.URL
	static    *url.URL // the whole URL, where it has neither wildcards nor a query
	inPath    []*field // by segment of the route; nil for a literal
}

func newWriter[Req any](base *url.URL, rt *route, codecs *codec.Set) (*writer[Req], error) {
	t := reflect.TypeFor[Req]()
	w := &writer[Req]{
		codec: codecs.Default(), route: rt, base: base, pointer: t.Kind() == reflect.Pointer, byPointer: t.Kind() == reflect.Struct,
	}
	if w.pointer {
		t = t.Elem()
	}
	var err error
	if w.plan, err = newPlan(t); err != nil {
		return nil, err
	}
	w.inPath = make([]*field, len(rt.segments))
	query := false
	for i := range w.plan.fields {
		fd := &w.plan.fields[i]
		switch fd.source {
		case fromQuery:
			query = true
		case fromPath:
			at := slices.IndexFunc(rt.segments, func(s segment) bool { return s.name == fd.name })
			if at < 0 {
				return nil, fmt.Errorf("%v has a field for {%s}, which the route does not have", t, fd.name)
			}
			w.inPath[at] = fd
		case fromHeader:
		}
	}
	for i, s := range rt.segments {
		if s.name != "" && w.inPath[i] == nil {
			return nil, fmt.Errorf("%v has no field for {%s} of the route", t, s.name)
		}
	}
	if !query && len(rt.wildcards()) == 0 {
		w.static, err = w.url(reflect.Value{})
	}
	return w, err
}

// write fills r, whose header is empty, with request.
func (w *writer[Req]) write(r *http.Request, request Req) error {
	var v reflect.Value
	if len(w.plan.fields) > 0 || w.plan.body == bodyField {
		v = reflect.ValueOf(&request).Elem()
		if w.pointer {
			if v.IsNil() {
				return errors.New("the request is nil")
			}
			v = v.Elem()
		}
	}
	if w.static != nil {
		u := *w.static // for the hooks to change
		r.URL = &u
	} else {
		u, err := w.url(v)
		if err != nil {
			return err
		}
		r.URL = u
	}
	for i := range w.plan.fields {
		if fd := &w.plan.fields[i]; fd.source == fromHeader {
			texts, err := fd.texts(v)
			if err != nil {
				return err
			}
			if len(texts) > 0 {
				r.Header[fd.name] = texts
			}
		}
	}
	switch w.plan.body {
	case bodyNone:
		return nil
	case bodyField:
		return w.writeBody(r, v.FieldByIndex(w.plan.index).Addr().Interface())
	}
	if w.byPointer {
		p := new(Req)
		*p = request
		return w.writeBody(r, p)
	}
	return w.writeBody(r, request)
}

func (w *writer[Req]) writeBody(r *http.Request, v any) error {
	data, err := w.codec.Append(nil, v)
	if err != nil {
		return err
	}
	setBody(r, data)
	r.Header["Content-Type"] = w.codec.ContentTypes()[:1:1]
	return nil
}

// url returns the URL for the request that v is.
func (w *writer[Req]) url(v reflect.Value) (*url.URL, error) {
	escaped := w.base.EscapedPath()
	for i := range w.route.segments {
		var value string
		if fd := w.inPath[i]; fd != nil {
			texts, err := fd.texts(v)
			if err != nil {
				return nil, err
			}
			if len(texts) == 0 || texts[0] == "" {
				return nil, fmt.Errorf("%s: the path needs a value", fd.name)
			}
			value = texts[0]
		}
		var err error
		if escaped, err = w.route.segments[i].appendTo(escaped, value); err != nil {
			return nil, err
		}
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, err
	}
	u := *w.base
	u.Path, u.RawPath = path, escaped
	if v.IsValid() {
		u.RawQuery, err = w.query(v)
	}
	return &u, err
}

func (w *writer[Req]) query(v reflect.Value) (string, error) {
	var query []byte
	for i := range w.plan.fields {
		fd := &w.plan.fields[i]
		if fd.source != fromQuery {
			continue
		}
		texts, err := fd.texts(v)
		if err != nil {
			return "", err
		}
		for _, text := range texts {
			if len(query) > 0 {
				query = append(query, '&')
			}
			query = append(query, url.QueryEscape(fd.name)...)
			query = append(query, '=')
			query = append(query, url.QueryEscape(text)...)
		}
	}
	return string(query), nil
}

// texts returns the text of the field in the request v: none when it is absent, several for a slice.
func (fd *field) texts(v reflect.Value) ([]string, error) {
	value := v.FieldByIndex(fd.index)
	switch {
	case value.Kind() == reflect.Pointer && value.IsNil(), (fd.omitEmpty || fd.fallback != "") && value.IsZero():
		return nil, nil
	case fd.setAll == nil:
		text, err := fd.text(value)
		return []string{text}, err
	}
	texts := make([]string, value.Len())
	for i := range texts {
		var err error
		if texts[i], err = fd.text(value.Index(i)); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func (fd *field) text(v reflect.Value) (string, error) {
	text, err := fd.format(nil, v)
	if err != nil {
		return "", fmt.Errorf("%s: %w", fd.name, err)
	}
	return string(text), nil
}
