package httptransport

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

// StatusCoder is a response that chooses its own HTTP status, from 200 to 599, instead of 200. It has no body with 204,
// 205 and 304.
type StatusCoder interface{ StatusCode() int }

// Headerer is a response that has header fields of its own. With an ETag among them a GET whose If-None-Match names it
// is answered with 304.
type Headerer interface{ Header() http.Header }

// autoLength is the size up to which net/http finds the Content-Length by itself, from its buffer.
const autoLength = 2048

// form is the encoding of a response.
type form struct {
	codec       codec.Codec
	contentType []string
}

// answers writes responses of type Resp by codec.
type answers[Resp any] struct {
	codecs    *codec.Set
	preferred form
	vary      bool
	empty     bool // Resp is struct{}: 204
	byPointer bool // encoders take a pointer to a struct without another copy
	coder     bool
	headerer  bool
}

func newAnswers[Resp any](codecs *codec.Set) answers[Resp] {
	t := reflect.TypeFor[Resp]()
	a := answers[Resp]{
		codecs:    codecs,
		preferred: form{codec: codecs.Default(), contentType: codecs.Default().ContentTypes()[:1:1]},
		vary:      len(codecs.Types()) > 1,
		empty:     t == reflect.TypeFor[struct{}](),
		byPointer: t.Kind() == reflect.Struct,
	}
	// A Resp of interface type may have the methods or not.
	isInterface := t.Kind() == reflect.Interface
	a.coder = isInterface || reflect.PointerTo(t).Implements(reflect.TypeFor[StatusCoder]()) || t.Implements(reflect.TypeFor[StatusCoder]())
	a.headerer = isInterface || reflect.PointerTo(t).Implements(reflect.TypeFor[Headerer]()) || t.Implements(reflect.TypeFor[Headerer]())
	return a
}

// negotiate chooses the encoding of the response, before anything is done for the request.
func (a *answers[Resp]) negotiate(r *http.Request) (form, error) {
	accept := r.Header["Accept"]
	if len(accept) == 0 || a.empty {
		return a.preferred, nil
	}
	c, contentType, err := a.codecs.Accept(accept...)
	if err != nil {
		return form{}, notAcceptable(err)
	}
	if contentType == a.preferred.contentType[0] {
		return a.preferred, nil
	}
	return form{codec: c, contentType: []string{contentType}}, nil
}

func notAcceptable(err error) error {
	return &Error{
		Status: http.StatusNotAcceptable,
		Err:    status.New(status.InvalidArgument, err.Error()).WithReason("NOT_ACCEPTABLE"),
	}
}

// write sends the response. Nothing of it is in the header before all of it is known to be good.
func (a *answers[Resp]) write(x *exchange, f form, response Resp) error {
	var v any
	if a.byPointer {
		p := new(Resp)
		*p = response
		v = p
	} else {
		v = response
	}
	code, own, err := a.ask(x, v)
	if err != nil {
		return err
	}
	var buf *buffer.Buffer
	if hasBody(code) {
		buf = buffer.Get()
		defer buf.Free()
		if buf.B, err = f.codec.Append(buf.B, v); err != nil {
			return fmt.Errorf("encoding the response: %w", err)
		}
	}
	header := x.w.Header()
	for key, values := range own {
		if key = http.CanonicalHeaderKey(key); key != "Content-Length" {
			header[key] = slices.Clip(fieldrule.Clean(values)) // what is added to it is not the response's
		}
	}
	if a.vary {
		header.Add("Vary", "Accept")
	}
	x.drain.ending(header)
	x.outcome.Status = code
	if buf == nil {
		x.w.WriteHeader(code)
		return nil
	}
	if header["Content-Type"] == nil {
		header["Content-Type"] = f.contentType
	}
	if len(buf.B) > autoLength || x.lingers {
		header["Content-Length"] = []string{strconv.Itoa(len(buf.B))}
	}
	if code != http.StatusOK {
		x.w.WriteHeader(code)
	}
	x.info.ResponseSize = int64(len(buf.B))
	_, err = x.w.Write(buf.B)
	if err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		return status.New(status.Canceled, "the client did not take the response").WithCause(err)
	}
	return nil
}

func hasBody(code int) bool {
	return code != http.StatusNoContent && code != http.StatusResetContent && code != http.StatusNotModified
}

// ask returns the status that the response wants to be sent with, and its own header fields.
func (a *answers[Resp]) ask(x *exchange, v any) (code int, own http.Header, err error) {
	if a.empty {
		return http.StatusNoContent, nil, nil
	}
	code = http.StatusOK
	if a.coder {
		if c, ok := v.(StatusCoder); ok {
			if code = c.StatusCode(); code < 200 || code > 599 {
				return 0, nil, fmt.Errorf("%T.StatusCode returned %d, want 200 to 599", v, code)
			}
		}
	}
	if a.headerer {
		if h, ok := v.(Headerer); ok {
			own = h.Header()
		}
	}
	if code == http.StatusOK && notModified(x.r, own, x.w.Header()) {
		code = http.StatusNotModified
	}
	return code, own, nil
}
