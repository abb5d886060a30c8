package httptransport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// lineCodec writes pairs and totals as numbers on a line.
type lineCodec struct{}

func (lineCodec) ContentTypes() []string { return []string{"text/plain", "text/x-line"} }

func (lineCodec) Append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case *pair:
		return fmt.Append(dst, v.A, v.B), nil
	case *total:
		return fmt.Append(dst, v.Sum), nil
	}
	return dst, fmt.Errorf("cannot write a %T", v)
}

func (lineCodec) Decode(data []byte, v any) (err error) {
	switch v := v.(type) {
	case *pair:
		_, err = fmt.Sscan(string(data), &v.A, &v.B)
	case *total:
		_, err = fmt.Sscan(string(data), &v.Sum)
	}
	if err != nil {
		return &codec.DecodeError{Problem: "want numbers", Err: err}
	}
	return nil
}

func TestContentTypeChoosesTheCodecOfTheRequest(t *testing.T) {
	t.Parallel()
	h := handler("POST /x", add, jsonAnd(lineCodec{}))
	for _, tt := range []struct {
		contentType, body string
		want              int
	}{
		{"application/json", `{"a":1,"b":2}`, http.StatusOK},
		{"application/json; charset=utf-8", `{"a":1,"b":2}`, http.StatusOK},
		{"Application/JSON", `{"a":1,"b":2}`, http.StatusOK},
		{"application/vnd.shop.pair+json", `{"a":1,"b":2}`, http.StatusOK},
		{"text/plain", "1 2", http.StatusOK},
		{"text/x-line; charset=us-ascii", "1 2", http.StatusOK},
		{"application/json; charset=latin1", `{"a":1,"b":2}`, http.StatusUnsupportedMediaType},
		{"application/xml", "<a/>", http.StatusUnsupportedMediaType},
		{"", `{"a":1,"b":2}`, http.StatusUnsupportedMediaType},
		{";;;", `{"a":1,"b":2}`, http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.contentType, func(t *testing.T) {
			t.Parallel()
			w := ask(h, "POST", "/x", tt.body, "Content-Type: "+tt.contentType)
			if w.Code != tt.want {
				t.Fatalf("want %d, have %d %s", tt.want, w.Code, w.Body)
			}
			if w.Code == http.StatusOK {
				if have := w.Body.String(); have != `{"sum":3}` {
					t.Errorf("want the sum in the first codec, have %q", have)
				}
				return
			}
			e := problem(t, w)
			for _, accepted := range []string{"application/json", "text/plain", "text/x-line"} {
				if !strings.Contains(e.Message, accepted) || !slices.Contains(w.Header()["Accept"], accepted) {
					t.Errorf("want %s named, have %q and Accept %q", accepted, e.Message, w.Header()["Accept"])
				}
			}
			if e.Code != status.InvalidArgument || e.Reason != "UNSUPPORTED_MEDIA_TYPE" {
				t.Errorf("want invalid_argument (UNSUPPORTED_MEDIA_TYPE), have %v", e)
			}
		})
	}
}

func TestAcceptChoosesTheCodecOfTheResponse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		accept []string
		want   string // "" is a refusal
	}{
		{nil, "application/json"},
		{[]string{""}, "application/json"},
		{[]string{"*/*"}, "application/json"},
		{[]string{"text/plain"}, "text/plain"},
		{[]string{"text/*"}, "text/plain"},
		{[]string{"text/x-line"}, "text/x-line"},
		{[]string{"application/json;q=0.5, text/plain;q=0.9"}, "text/plain"},
		{[]string{"application/json;q=0.5", "text/plain;q=0.9"}, "text/plain"},
		{[]string{"text/plain, application/json"}, "application/json"},
		{[]string{"text/html, */*;q=0.1"}, "application/json"},
		{[]string{"application/json;q=0, */*;q=0.1"}, "text/plain"},
		{[]string{"text/html"}, ""},
		{[]string{"application/json;q=0"}, ""},
	} {
		t.Run(strings.Join(tt.accept, " and "), func(t *testing.T) {
			t.Parallel()
			called := false
			h := handler("POST /x", func(ctx context.Context, r *pair) (*total, error) {
				called = true
				return add(ctx, r)
			}, jsonAnd(lineCodec{}))
			header := make([]string, len(tt.accept))
			for i, value := range tt.accept {
				header[i] = "Accept: " + value
			}
			w := ask(h, "POST", "/x", `{"a":1}`, header...)
			if tt.want == "" {
				e := problem(t, w)
				if w.Code != http.StatusNotAcceptable || !strings.Contains(e.Message, "application/json, text/plain") {
					t.Errorf("want 406 that names the offers, have %d %v", w.Code, e)
				}
				if called {
					t.Error("the endpoint ran")
				}
				return
			}
			if have := w.Header().Get("Content-Type"); w.Code != http.StatusOK || have != tt.want {
				t.Errorf("want 200 of %s, have %d of %s", tt.want, w.Code, have)
			}
			if have := w.Header()["Vary"]; !slices.Equal([]string{"Accept"}, have) {
				t.Errorf("Vary: want Accept, have %q", have)
			}
		})
	}
}

func TestOneCodecDoesNotVary(t *testing.T) {
	t.Parallel()
	w := ask(handler("POST /x", add), "POST", "/x", `{"a":1}`)
	if have := w.Header()["Vary"]; have != nil {
		t.Errorf("want no Vary, have %q", have)
	}
}

func TestNothingIsNegotiatedForAnAnswerWithoutBody(t *testing.T) {
	t.Parallel()
	h := handler("POST /x", func(context.Context, *pair) (struct{}, error) { return struct{}{}, nil })
	if w := ask(h, "POST", "/x", `{"a":1}`, "Accept: text/html"); w.Code != http.StatusNoContent {
		t.Errorf("want 204, have %d %s", w.Code, w.Body)
	}
}

func TestClientsSpeakTheirFirstCodecAndReadAll(t *testing.T) {
	t.Parallel()
	var contentType, accept string
	srv, _ := start(t, handler("POST /x", add, jsonAnd(lineCodec{}),
		httptransport.ServerBefore(func(ctx context.Context, r *http.Request) context.Context {
			contentType, accept = r.Header.Get("Content-Type"), r.Header.Get("Accept")
			return ctx
		})))
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x", httptransport.ClientCodecs(lineCodec{}, json.New()))
	have, err := c(t.Context(), &pair{1, 2})
	if err != nil || have.Sum != 3 {
		t.Errorf("want 3, have %v, %v", have, err)
	}
	if contentType != "text/plain" || accept != "text/plain, text/x-line, application/json" {
		t.Errorf("have content type %q and accept %q", contentType, accept)
	}
}

func TestResponsesOfAnUnknownTypeAreRefused(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"text/html", "", "application/json; charset=utf-16"} {
		srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = w.Write([]byte(`{"sum":1}`))
		}))
		_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
		if status.CodeOf(err) != status.Internal || !strings.Contains(err.Error(), fmt.Sprintf("%q", contentType)) {
			t.Errorf("%s: want internal that names it, have %v", contentType, err)
		}
	}
}

func TestCodecSetsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	wantPanic(t, "at least one codec", func() { httptransport.NewServer(testSpec, add, httptransport.ServerCodecs()) })
	wantPanic(t, "claimed twice", func() { httptransport.NewServer(testSpec, add, jsonAnd(json.New())) })
	_, err := httptransport.NewClient[*pair, *total](testSpec, dial(t, "http://localhost"), "POST /x", httptransport.ClientCodecs())
	if err == nil || !strings.Contains(err.Error(), "at least one codec") {
		t.Errorf("client: have %v", err)
	}
}

func TestAnErrorOfACodecThatIsNotOfTheDocumentIsInternal(t *testing.T) {
	t.Parallel()
	broken := brokenCodec{err: errors.New("no such table")}
	w := ask(handler("POST /x", add, jsonAnd(broken)), "POST", "/x", "x", "Content-Type: application/x-broken")
	if e := problem(t, w); e.Code != status.Internal || strings.Contains(w.Body.String(), "table") {
		t.Errorf("want internal without the text, have %s", w.Body)
	}
}

// brokenCodec fails with an error of its own.
type brokenCodec struct{ err error }

func (brokenCodec) ContentTypes() []string                     { return []string{"application/x-broken"} }
func (c brokenCodec) Append(dst []byte, _ any) ([]byte, error) { return dst, c.err }
func (c brokenCodec) Decode([]byte, any) error                 { return c.err }
