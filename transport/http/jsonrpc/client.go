package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/buffer"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// NewClient returns the endpoint that calls a method over conn, by POST to the path. What is sent on a connection that the server was just
// closing is sent again on another one if spec says that it is Idempotent.
//
// Its errors are *status.Error: what the server sent, which for one of Ashlar is equal to what the endpoint returned, and else has an
// *Error as its cause; those of httptransport.NewClient when there was no answer, with transport.ErrNotSent in their causes when the
// request surely did not leave; and Internal for an answer that is none, or that has the id of another call.
//
// It fails when spec.Kind is set and is not Unary, and when an option is wrong.
func NewClient[Req, Resp any](
	spec endpoint.Spec, conn *httptransport.Conn, path string, opts ...ClientOption,
) (endpoint.Endpoint[Req, Resp], error) {
	m, config, err := newMethod[Req, Resp](spec, opts)
	if err != nil {
		return nil, fmt.Errorf("jsonrpc: client of %s: %w", spec.Operation(), err)
	}
	c := &client[Req, Resp]{Method: m}
	all := spoken(config.http, httptransport.ClientDecoder(c.read))
	c.send, err = httptransport.NewClient[*outgoing[Req], Resp](spec, conn, "POST "+path, all...)
	if err != nil {
		return nil, err
	}
	return c.call, nil
}

// NewNotifier returns the endpoint that notifies a method over conn: it is carried out and not answered. The errors of the method are not
// told to anybody but the server; those of HTTP are, as by NewClient, and so is that the server took the document for none.
func NewNotifier[Req any](
	spec endpoint.Spec, conn *httptransport.Conn, path string, opts ...ClientOption,
) (endpoint.Endpoint[Req, struct{}], error) {
	m, config, err := newMethod[Req, struct{}](spec, opts)
	if err != nil {
		return nil, fmt.Errorf("jsonrpc: notifier of %s: %w", spec.Operation(), err)
	}
	all := spoken(config.http, httptransport.ClientDecoder(readNothing))
	send, err := httptransport.NewClient[*outgoing[Req], struct{}](spec, conn, "POST "+path, all...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, request Req) (struct{}, error) {
		return send(ctx, &outgoing[Req]{method: &m.caller, request: request})
	}, nil
}

// spoken returns the options of transport/http with which it carries JSON-RPC.
func spoken(given []httptransport.ClientOption, own ...httptransport.ClientOption) []httptransport.ClientOption {
	return slices.Concat(given, own, []httptransport.ClientOption{
		httptransport.ClientCodecs(wire{}), httptransport.ClientErrorDecoder(readRefusal),
	})
}

type client[Req, Resp any] struct {
	*Method[Req, Resp]

	last atomic.Uint64 // id
	send endpoint.Endpoint[*outgoing[Req], Resp]
}

// call is the endpoint.
func (c *client[Req, Resp]) call(ctx context.Context, request Req) (Resp, error) {
	id := c.last.Add(1)
	return c.send(&callContext{Context: ctx, id: id}, &outgoing[Req]{method: &c.caller, request: request, id: id})
}

// outgoing is a call on its way out; without an id it is a notification.
type outgoing[Req any] struct {
	method  *caller
	request Req
	id      uint64
}

func (o *outgoing[Req]) append(dst []byte) ([]byte, error) {
	if o.method.pointer {
		return o.method.append(dst, &o.request, o.id)
	}
	return o.method.append(dst, o.request, o.id)
}

// callContext carries what a call is to the function that reads its answer.
type callContext struct {
	context.Context

	id    uint64
	batch *Batch // instead of the id
}

type callKey struct{}

func callOf(ctx context.Context) callContext {
	if c, ok := ctx.Value(callKey{}).(*callContext); ok {
		return *c
	}
	return callContext{} // a hook has given the call a context of another one
}

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// read reads the answer.
func (c *client[Req, Resp]) read(ctx context.Context, r *http.Response) (response Resp, err error) {
	buf := buffer.Get()
	defer buf.Free()
	if err := readBody(buf, r); err != nil {
		return response, err
	}
	answers, batch, err := readAnswers(buf.B, r)
	if err != nil {
		return response, unreadable(c.operation, err)
	}
	if batch {
		return response, unreadable(c.operation, errors.New("it is a list, for a call that is none"))
	}
	a := &answers[0]
	switch want := strconv.FormatUint(callOf(ctx).id, 10); {
	case string(a.id) == want:
	case string(a.id) == "null" && a.result == nil: // the server did not come as far as the id
	default:
		return response, unreadable(c.operation, fmt.Errorf("it has the id %.64s, want %s", a.id, want))
	}
	if e := a.status(); e != nil {
		return response, e
	}
	return c.decode(a.result)
}

// readNothing reads the answer to notifications, which have none: an error without an id is that of the document as a whole, of which
// nothing was carried out. Whatever else a server says does not matter.
func readNothing(_ context.Context, r *http.Response) (none struct{}, err error) {
	buf := buffer.Get()
	defer buf.Free()
	if err := readBody(buf, r); err != nil {
		return none, err
	}
	answers, _, err := readAnswers(buf.B, r)
	if err != nil || len(answers) == 0 || string(answers[0].id) != "null" {
		return none, nil // it is none, as it should be
	}
	if e := answers[0].status(); e != nil {
		return none, e
	}
	return none, nil
}

// readAnswers reads the document that the body of a response is.
func readAnswers(body []byte, r *http.Response) ([]answer, bool, error) {
	if r.StatusCode == http.StatusNoContent {
		return nil, false, errors.New("there is none")
	}
	if contentType := r.Header.Get("Content-Type"); !isJSON(contentType) {
		return nil, false, fmt.Errorf("content type %q is not supported; supported: %s", contentType, strings.Join(contentTypes, ", "))
	}
	return parseAnswers(body)
}

// readBody reads the body, which transport/http limits.
func readBody(buf *buffer.Buffer, r *http.Response) error {
	const least = 512
	for {
		if cap(buf.B)-len(buf.B) < least {
			buf.B = append(make([]byte, 0, 2*cap(buf.B)+least), buf.B...)
		}
		n, err := r.Body.Read(buf.B[len(buf.B):cap(buf.B)])
		buf.B = buf.B[:len(buf.B)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isJSON reports whether a content type is one that answers come in.
func isJSON(contentType string) bool {
	if contentType == ContentType {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (slices.Contains(contentTypes, mediaType) || strings.HasSuffix(mediaType, "+json"))
}

// readRefusal reads a response with an HTTP status of an error that is one of JSON-RPC too.
func readRefusal(_ context.Context, r *http.Response, body []byte) error {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil
	}
	if answers, _, err := parseAnswers(body); err == nil && len(answers) == 1 {
		if e := answers[0].status(); e != nil {
			return e
		}
	}
	return nil // the HTTP status says more
}
