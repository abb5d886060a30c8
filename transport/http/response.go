package httptransport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/buffer"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// newEncoder returns the encoder that the options gave, or else one that writes Req by its type.
func newEncoder[Req any](config *clientConfig, base *url.URL, rt *route) (func(context.Context, *http.Request, Req) error, error) {
	given, err := option.Typed[func(context.Context, *http.Request, Req) error]("ClientEncoder", config.encode)
	if err != nil {
		return nil, err
	}
	if given == nil {
		w, err := newWriter[Req](base, rt, config.codecs)
		if err != nil {
			return nil, err
		}
		return func(_ context.Context, r *http.Request, request Req) error { return w.write(r, request) }, nil
	}
	var template strings.Builder
	template.WriteString(base.String())
	for _, s := range rt.segments {
		if s.name != "" {
			template.WriteString("{" + s.name + "}") // for the encoder to replace
		} else {
			template.WriteString(s.text)
		}
	}
	return func(ctx context.Context, r *http.Request, request Req) error {
		u, err := url.Parse(template.String())
		if err != nil {
			return err
		}
		r.URL = u
		return given(ctx, r, request)
	}, nil
}

// newDecoder returns the decoder that the options gave, or else one that reads Resp by codec.
func newDecoder[Resp any](config *clientConfig, operation string) (func(context.Context, *http.Response, *sent) (Resp, error), error) {
	given, err := option.Typed[func(context.Context, *http.Response) (Resp, error)]("ClientDecoder", config.decode)
	if err != nil {
		return nil, err
	}
	if given != nil {
		return func(ctx context.Context, r *http.Response, x *sent) (Resp, error) {
			body := &limitedBody{ReadCloser: r.Body, limit: config.maxResponse, tooLarge: func(limit int64) error {
				return responseTooLarge(operation, limit)
			}}
			r.Body = body
			response, err := given(ctx, r)
			x.call.ResponseSize = body.read
			return response, err
		}, nil
	}
	d := &responseReader[Resp]{clientConfig: config, operation: operation}
	if t := reflect.TypeFor[Resp](); t.Kind() == reflect.Pointer {
		d.elem = t.Elem()
	}
	return d.read, nil
}

// responseReader reads responses by codec.
type responseReader[Resp any] struct {
	*clientConfig

	operation string
	elem      reflect.Type // what Resp points to, nil when it is no pointer
}

func (d *responseReader[Resp]) read(_ context.Context, r *http.Response, x *sent) (response Resp, err error) {
	var target any
	if d.elem != nil {
		target = reflect.New(d.elem).Interface()
		response, _ = target.(Resp)
	} else {
		target = new(Resp)
	}
	_, empty := target.(*struct{})
	if r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusResetContent || empty {
		_, err = io.CopyN(io.Discard, r.Body, d.maxResponse) // so that the connection can be used again
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return response, err
	}
	c, err := d.codecs.ForType(r.Header.Get("Content-Type"))
	if err != nil {
		return response, status.Errorf(status.Internal, "the response of %s: %v", d.operation, err)
	}
	buf := buffer.Get()
	defer buf.Free()
	buf.B, err = readAll(buf.B, r.Body, r.ContentLength, d.maxResponse)
	x.call.ResponseSize = int64(len(buf.B))
	switch {
	case errors.Is(err, errTooLarge):
		return response, responseTooLarge(d.operation, d.maxResponse)
	case err != nil:
		return response, err
	}
	if err := c.Decode(buf.B, target); err != nil {
		return response, status.Errorf(status.Internal, "the response of %s could not be decoded: %v", d.operation, err).WithCause(err)
	}
	if d.elem == nil {
		response = *target.(*Resp) //nolint:forcetypeassert // it was made so above
	}
	return response, nil
}

func responseTooLarge(operation string, limit int64) error {
	return status.Errorf(status.ResourceExhausted, "the response of %s is larger than %d bytes", operation, limit).WithReason(reasonTooLarge)
}

// errorOf reads a response that is an error.
func (c *client[Req, Resp]) errorOf(ctx context.Context, x *sent) error {
	r := x.response
	buf := buffer.Get()
	defer buf.Free()
	var readErr error
	buf.B, readErr = readAll(buf.B, r.Body, r.ContentLength, maxProblem)
	x.call.ResponseSize = int64(len(buf.B))
	var e status.Error
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if readErr == nil && mediaType == status.ProblemType && e.UnmarshalJSON(buf.B) == nil {
		if e.RetryAfter == 0 {
			e.RetryAfter = retryAfter(r.Header)
		}
		if e.Code == status.Unknown {
			e.Code = codeOf(r.StatusCode, buf.B)
		}
		if r.Header.Get(transport.NotBegunHeader) == "true" {
			e.Cause = transport.ErrNotBegun
		}
		return &e
	}
	for _, decode := range c.decodeError {
		if err := decode(ctx, r, buf.B[:min(len(buf.B), maxProblem)]); err != nil {
			return err
		}
	}
	const shown = 256
	asked := c.template.Method
	if r.Request != nil { // a RoundTripper need not set it
		asked = r.Request.Method + " " + r.Request.URL.Path
	}
	cause := fmt.Errorf("%s: the response was %q", asked, buf.B[:min(len(buf.B), shown)])
	if readErr != nil {
		cause = fmt.Errorf("%w: %w", cause, readErr)
	}
	if r.Header.Get(transport.NotBegunHeader) == "true" {
		cause = fmt.Errorf("%w: %w", transport.ErrNotBegun, cause)
	}
	return status.Errorf(codeOf(r.StatusCode, nil), "%s answered HTTP %d", c.operation, r.StatusCode).
		WithRetryAfter(retryAfter(r.Header)).WithCause(cause)
}

// codeOf returns the code of an error whose problem details, if there are any, may have none.
func codeOf(httpStatus int, problem []byte) status.Code {
	var p struct {
		Code string `json:"code"`
	}
	if len(problem) > 0 && json.Unmarshal(problem, &p) == nil {
		if _, known := status.ParseCode(p.Code); known {
			return status.Unknown
		}
	}
	if code := status.FromHTTP(httpStatus); code != status.OK {
		return code
	}
	return status.Unknown
}

// retryAfter reads a Retry-After field: seconds, or a date.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if text == "" {
		return 0
	}
	const most = 1 << 30 // seconds
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, most)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
