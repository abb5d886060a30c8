package httptransport_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// reply is a response that says itself how it is sent.
type reply struct {
	Text string `json:"text"`

	code   int
	header http.Header
}

func (r *reply) StatusCode() int     { return r.code }
func (r *reply) Header() http.Header { return r.header }

// replying returns an endpoint for GET that answers with r.
func replying[Resp any](r Resp) endpoint.Endpoint[struct{}, Resp] {
	return func(context.Context, struct{}) (Resp, error) { return r, nil }
}

func TestAValueThatCannotBeEncodedIsNotA200(t *testing.T) {
	t.Parallel()
	type unencodable struct {
		F float64 `json:"f"`
	}
	h := handler("GET /x", replying(unencodable{math.NaN()}))
	w := ask(h, "GET", "/x", "")
	e := problem(t, w)
	if w.Code != http.StatusInternalServerError || e.Code != status.Internal || e.ID == "" || strings.Contains(w.Body.String(), "NaN") {
		t.Errorf("want 500 with an id and nothing else, have %d %s", w.Code, w.Body)
	}
}

func TestHeadersOfAResponseThatFailedAreNotSent(t *testing.T) {
	t.Parallel()
	type unencodable struct {
		*reply

		F float64 `json:"f"`
	}
	for name, r := range map[string]any{
		"not encoded": unencodable{&reply{code: 201, header: http.Header{"Set-Cookie": {"session=1"}, "Etag": {`"1"`}}}, math.Inf(1)},
		"bad status":  &reply{code: 42, header: http.Header{"Set-Cookie": {"session=1"}, "Etag": {`"1"`}}},
	} {
		w := ask(handler("GET /x", replying(r)), "GET", "/x", "")
		if have := w.Header(); w.Code != http.StatusInternalServerError || have["Set-Cookie"] != nil || have["Etag"] != nil {
			t.Errorf("%s: want 500 without the response's header, have %d %v", name, w.Code, have)
		}
	}
}

func TestResponsesChooseTheirStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code, want int
		body       string
	}{
		{200, 200, `{"text":"x"}`},
		{201, 201, `{"text":"x"}`},
		{299, 299, `{"text":"x"}`},
		{204, 204, ""},
		{205, 205, ""},
		{304, 304, ""},
		{404, 404, `{"text":"x"}`},
		{599, 599, `{"text":"x"}`},
		{100, 500, ""},
		{199, 500, ""},
		{600, 500, ""},
		{0, 500, ""},
		{-1, 500, ""},
		{1000, 500, ""},
		{math.MaxInt, 500, ""},
	} {
		t.Run(strconv.Itoa(tt.code), func(t *testing.T) {
			t.Parallel()
			r := &reply{Text: "x", code: tt.code, header: http.Header{"Location": {"/x/1"}}}
			for name, h := range map[string]http.Handler{
				"pointer":   handler("GET /x", replying(r)),
				"value":     handler("GET /x", replying(*r)),
				"interface": handler("GET /x", replying(any(r))),
			} {
				w := ask(h, "GET", "/x", "")
				if w.Code != tt.want {
					t.Errorf("%s: want %d, have %d %s", name, tt.want, w.Code, w.Body)
				}
				if tt.want == 500 {
					continue
				}
				if have := w.Body.String(); have != tt.body {
					t.Errorf("%s: want body %q, have %q", name, tt.body, have)
				}
				if have := w.Header().Get("Location"); have != "/x/1" {
					t.Errorf("%s: want the Location, have %q", name, have)
				}
				if have := w.Header()["Content-Type"]; (have != nil) != (tt.body != "") {
					t.Errorf("%s: have content type %q", name, have)
				}
			}
		})
	}
}

func TestAResponseWithoutFieldsIs204(t *testing.T) {
	t.Parallel()
	w := ask(handler("GET /x", replying(struct{}{})), "GET", "/x", "")
	if w.Code != http.StatusNoContent || w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Errorf("want a bare 204, have %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestANilResponse(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{
		"any":     handler("GET /x", replying[any](nil)),
		"pointer": handler("GET /x", replying[*total](nil)),
	} {
		if w := ask(h, "GET", "/x", ""); w.Code != http.StatusOK || w.Body.String() != "null" {
			t.Errorf("%s: want null, have %d %s", name, w.Code, w.Body)
		}
	}
}

func TestHeaderFieldsOfAResponse(t *testing.T) {
	t.Parallel()
	shared := make([]string, 1, 8)
	shared[0] = "Cookie"
	r := &reply{Text: "x", code: 200, header: http.Header{
		"content-type":   {"application/vnd.shop+json"},
		"Content-Length": {"3"}, // copied from somewhere else
		"Vary":           shared,
		"X-Two":          {"1", "2"},
	}}
	h := handler("GET /x", replying(r), jsonAnd(lineCodec{}))
	srv, _ := start(t, h)
	for range 2 {
		response, err := srv.Client().Get(srv.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(body) != `{"text":"x"}` {
			t.Errorf("want the body, have %q, %v", body, err)
		}
		have := response.Header
		if have.Get("Content-Type") != "application/vnd.shop+json" || !slices.Equal(have["X-Two"], []string{"1", "2"}) {
			t.Errorf("have %v", have)
		}
		if want := []string{"Cookie", "Accept"}; !slices.Equal(want, have["Vary"]) {
			t.Errorf("Vary: want %q, have %q", want, have["Vary"])
		}
	}
	if have := shared[:2][1]; have != "" {
		t.Errorf("the response's own slice was written to: %q", have)
	}
}

func TestLargeResponsesAreNotChunked(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 2000, 2047, 2048, 2049, 5000, 3 * mib} {
		srv, _ := start(t, handler("GET /x", replying(strings.Repeat("x", size))))
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r, _ := http.NewRequestWithContext(t.Context(), method, srv.URL+"/x", http.NoBody)
			response, err := srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if response.ContentLength != int64(size+2) || response.TransferEncoding != nil {
				t.Errorf("%s of %d: want that length, have %d %v", method, size+2, response.ContentLength, response.TransferEncoding)
			}
			if want := size + 2; method == http.MethodGet && len(body) != want || method == http.MethodHead && len(body) != 0 {
				t.Errorf("%s of %d: have a body of %d", method, want, len(body))
			}
			if have := response.Header.Get("Content-Type"); have != "application/json" {
				t.Errorf("%s: have content type %q", method, have)
			}
		}
	}
}

func TestHeadOfAnError(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("/x", failing(status.New(status.NotFound, "no such order"))))
	response, err := srv.Client().Head(srv.URL + "/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound || response.ContentLength <= 0 {
		t.Errorf("want 404 with the length of the problem, have %d, %d", response.StatusCode, response.ContentLength)
	}
	_, err = newClient[struct{}, *total](t, dial(t, srv.URL), "HEAD /x")(t.Context(), struct{}{})
	if status.CodeOf(err) != status.NotFound {
		t.Errorf("client: want not_found, have %v", err)
	}
}

func TestOutcomeOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code int
		want httptransport.Outcome
	}{
		{200, httptransport.Outcome{Status: 200, RequestSize: 7, ResponseSize: 12}},
		{201, httptransport.Outcome{Status: 201, RequestSize: 7, ResponseSize: 12}},
		{304, httptransport.Outcome{Status: 304, RequestSize: 7}},
	} {
		var have httptransport.Outcome
		h := handler("POST /x", func(context.Context, *pair) (*reply, error) { return &reply{Text: "x", code: tt.code}, nil },
			httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { have = o }))
		if ask(h, "POST", "/x", `{"a":1}`); have != tt.want {
			t.Errorf("want %+v, have %+v", tt.want, have)
		}
	}
}

// deaf is a ResponseWriter whose connection is gone.
type deaf struct{ *sink }

func (deaf) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAResponseThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]endpoint.Endpoint[*pair, *total]{"response": add, "problem": failing(status.New(status.NotFound, "x"))} {
		var outcome httptransport.Outcome
		h := handler("POST /x", e, httptransport.ServerErrorHandler(func(context.Context, error) {}),
			httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcome = o }))
		func() {
			defer func() { _ = recover() }() // cutting the connection is allowed
			h.ServeHTTP(deaf{newSink()}, newReplayed([]byte("{}")).request)
		}()
		if outcome.Status == 0 || !errors.Is(outcome.Err, io.ErrClosedPipe) {
			t.Errorf("%s: want the status and %v, have %+v", name, io.ErrClosedPipe, outcome)
		}
	}
}
