package httptransport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// binder makes requests of type Req from HTTP requests.
type binder[Req any] struct {
	plan    *plan
	elem    reflect.Type // what Req points to, nil when it is no pointer
	codecs  *codec.Set
	maxBody int64
}

func newBinder[Req any](c *serverConfig) (*binder[Req], error) {
	t := reflect.TypeFor[Req]()
	b := &binder[Req]{codecs: c.codecs, maxBody: c.maxRequest}
	if t.Kind() == reflect.Pointer {
		b.elem = t.Elem()
		t = b.elem
	}
	var err error
	b.plan, err = newPlan(t)
	return b, err
}

// bind makes the request. Its errors are for the caller.
func (b *binder[Req]) bind(ctx context.Context, r *http.Request) (Req, error) {
	var (
		request Req
		target  any // a pointer to the value that is filled in
		wrong   []error
	)
	if b.elem != nil {
		p := reflect.New(b.elem)
		target = p.Interface()
		request, _ = target.(Req)
	} else {
		target = new(Req)
	}
	if b.plan.body != bodyNone {
		into := target
		if b.plan.body == bodyField {
			into = reflect.ValueOf(target).Elem().FieldByIndex(b.plan.index).Addr().Interface()
		}
		if err := b.readBody(ctx, r, into); err != nil {
			if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
				return request, err
			}
			wrong = append(wrong, violation(err))
		}
	}
	if name := b.plan.unrouted(r); name != "" {
		return request, fmt.Errorf("the pattern %q has no wildcard {%s}, which the request type needs", r.Pattern, name)
	}
	if len(b.plan.fields) > 0 {
		wrong = b.plan.bindFields(reflect.ValueOf(target).Elem(), r, wrong)
	}
	if len(wrong) > 0 {
		return request, status.Invalid(errors.Join(wrong...))
	}
	if b.elem == nil {
		request = *target.(*Req) //nolint:forcetypeassert // it was made so above
	}
	return request, nil
}

// readBody decodes the body of r into v.
func (b *binder[Req]) readBody(ctx context.Context, r *http.Request, v any) error {
	contentType := r.Header.Get("Content-Type")
	if r.ContentLength == 0 || contentType == "" && r.ContentLength < 0 && isEmpty(r.Body) {
		switch {
		case bodiless(r.Method):
			return nil
		case contentType == "":
			return errNoBody
		}
	}
	c, err := b.codecs.ForType(contentType)
	if err != nil {
		return unsupportedType(err)
	}
	buf := buffer.Get()
	defer buf.Free()
	if err := readRequest(buf, r, b.maxBody); err != nil {
		return err
	}
	if info := transport.FromContext(ctx); info != nil {
		info.RequestSize = int64(len(buf.B))
	}
	return c.Decode(buf.B, v)
}

var errNoBody = &codec.DecodeError{Problem: "the request has no body"}

// isEmpty reports whether a body of unknown length has no bytes at all, as a proxy may send it for none. Of another one it takes the
// first.
func isEmpty(body io.Reader) bool {
	var first [1]byte
	n, err := io.ReadFull(body, first[:])
	return n == 0 && errors.Is(err, io.EOF)
}

// bodiless reports whether requests of the method do without a body by their nature.
func bodiless(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

func unsupportedType(err error) error {
	unsupported, ok := errors.AsType[*codec.UnsupportedTypeError](err)
	if !ok {
		return err
	}
	accept := http.Header{}
	for _, t := range unsupported.Want {
		accept.Add("Accept", t) // RFC 9110, section 15.5.16
	}
	return &Error{
		Status: http.StatusUnsupportedMediaType,
		Header: accept,
		Err:    status.New(status.InvalidArgument, unsupported.Error()).WithReason("UNSUPPORTED_MEDIA_TYPE"),
	}
}

// violation is what the caller is told of a document that does not fit.
func violation(err error) error {
	e, ok := errors.AsType[*codec.DecodeError](err)
	if !ok {
		return err
	}
	var all []error
	for _, v := range e.Violations() {
		all = append(all, v)
	}
	return errors.Join(all...)
}

// unrouted returns the name of a path field for which the pattern of r has no wildcard: a mistake of the program that only a request
// shows. It is "" where there is none, and where nothing is known of the pattern.
func (p *plan) unrouted(r *http.Request) string {
	for i := range p.fields {
		fd := &p.fields[i]
		if fd.source == fromPath && r.PathValue(fd.name) == "" && r.Pattern != "" &&
			!strings.Contains(r.Pattern, "{"+fd.name+"}") && !strings.Contains(r.Pattern, "{"+fd.name+"...}") {
			return fd.name
		}
	}
	return ""
}

// bindFields sets the bound fields of v, and appends what is wrong with each. A field that r says nothing about becomes its
// default or zero, whatever the body put there.
func (p *plan) bindFields(v reflect.Value, r *http.Request, wrong []error) []error {
	var query url.Values
	for i := range p.fields {
		fd := &p.fields[i]
		target := v.FieldByIndex(fd.index)
		var texts []string
		switch fd.source {
		case fromPath:
			if text := r.PathValue(fd.name); text != "" {
				texts = []string{text}
			}
		case fromQuery:
			if query == nil {
				var err error
				if query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
					wrong = append(wrong, status.Violation{Field: "query", Description: "malformed: " + err.Error()})
				}
			}
			texts = query[fd.name]
		case fromHeader:
			texts = r.Header[fd.name]
		}
		if err := fd.bind(target, texts); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func (fd *field) bind(target reflect.Value, texts []string) error {
	var err error
	switch {
	case len(texts) == 0 && fd.required:
		target.SetZero()
		return fd.violation("is missing from the " + string(fd.source))
	case len(texts) == 0:
		target.SetZero()
		if fd.fallback != "" {
			err = fd.set(target, fd.fallback)
		}
	case fd.setAll != nil:
		err = fd.setAll(target, texts)
	case len(texts) > 1:
		target.SetZero()
		return fd.violation("is given more than once in the " + string(fd.source))
	default:
		err = fd.set(target, texts[0])
	}
	if err != nil {
		target.SetZero()
		return fd.violation(err.Error())
	}
	return nil
}

func (fd *field) violation(problem string) error {
	return status.Violation{Field: fd.label, Description: problem}
}
