package httptransport_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// injected tries to end a line of the header, the header, and the answer.
const injected = "x\r\nSet-Cookie: admin=1\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// tainted is an answer with header fields that somebody else wrote.
type tainted struct {
	Text string `json:"text"`
}

func (*tainted) Header() http.Header {
	return http.Header{
		"X-Own": {injected}, "X-Bad\r\nX-Injected": {"1"}, "X-Bad: 1\r\nX-Injected": {"1"}, "Location": {"/" + injected},
		"Set-Cookie": {"a=" + injected}, "Content-Disposition": {`attachment; filename="` + injected + `"`},
	}
}

// taint sets fields as middleware does.
func taint(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return func(ctx context.Context, request any) (any, error) {
		info := transport.FromContext(ctx)
		info.Response.Set("X-Of-Middleware", injected)
		info.Response.Set("Www-Authenticate", `Bearer realm="`+injected+`"`)
		transport.AddHeader(info.Response, "X-Twice", injected)
		return next(ctx, request)
	}
}

// Whatever ends up in a field of an answer, it is one field of one answer.
func TestNothingInAValueBecomesAFieldOrAnAnswer(t *testing.T) {
	t.Parallel()
	after := httptransport.ServerAfter(func(_ context.Context, w http.ResponseWriter) { w.Header().Set("X-After", injected) })
	mux := handler("POST /good", func(context.Context, struct{}) (*tainted, error) { return &tainted{injected}, nil },
		httptransport.ServerMiddleware(taint), after)
	for path, err := range map[string]error{
		"/status": status.New(status.NotFound, injected).WithReason(injected).WithViolations(status.Violation{Field: injected, Description: injected}),
		"/http": &httptransport.Error{Status: 410, Header: http.Header{"X-Own": {injected}, "X-Bad\r\nX-Injected": {"1"}, "Allow": {injected}},
			Err: status.New(status.NotFound, injected)},
	} {
		mux.Handle("POST "+path, httptransport.NewServer(testSpec, failing(err), httptransport.ServerMiddleware(taint)))
	}
	mux.Handle("GET /stream/{room}", httptransport.NewStreamServer(countSpec, count, httptransport.ServerMiddleware(taint), after))
	names := []string{ // of all fields that may be there
		"Allow", "Cache-Control", "Content-Disposition", "Content-Length", "Content-Type", "Date", "Location", "Set-Cookie", "Trailer", "Vary",
		"Www-Authenticate", "X-After", "X-Content-Type-Options", "X-Of-Middleware", "X-Own", "X-Twice", "X-Accel-Buffering", "Transfer-Encoding", "Connection",
	}
	address := hardened(t, mux)
	h2 := new(http.Protocols)
	h2.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: h2}
	defer tr.CloseIdleConnections()
	check := func(t *testing.T, path string, response *http.Response, want int) {
		t.Helper()
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != want || !strings.Contains(string(body), `Set-Cookie`) && path != "/stream/1" {
			t.Errorf("%s: want %d, have %d %q, %v", path, want, response.StatusCode, body, err)
		}
		for name, values := range response.Header {
			if !slices.Contains(names, name) || len(values) > 1 {
				t.Errorf("%s: have the field %q: %q", path, name, values)
			}
			for _, value := range values {
				if strings.ContainsAny(value, "\r\n\x00") || name == "Set-Cookie" && !strings.HasPrefix(value, "a=") {
					t.Errorf("%s: %s: have %q", path, name, value)
				}
			}
		}
	}
	for path, want := range map[string]int{"/good": 200, "/status": 404, "/http": 410, "/stream/1": 200} {
		method, body := http.MethodPost, "{}"
		if path == "/stream/1" {
			method, body = http.MethodGet, ""
		}
		// HTTP/1.1, as bytes: there is one answer, and then the end.
		conn := wire(t, address)
		text := method + " " + path + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\n"
		if body != "" {
			text += "Content-Length: 2\r\n"
		}
		if _, err := io.WriteString(conn, text+"\r\n"+body); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(conn)
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		check(t, path, response, want)
		if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
			t.Errorf("%s: behind the answer: have %q, %v", path, rest, err)
		}

		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if response, err = tr.RoundTrip(request); err != nil {
			t.Errorf("%s by HTTP/2: %v", path, err)
			continue
		}
		check(t, path, response, want)
	}
}

// fieldOf is an answer with a header field of the text.
type fieldOf string

func (f fieldOf) Header() http.Header { return http.Header{"X-Own": {string(f)}} }

// A NUL and its like would make the whole answer malformed.
func TestControlCharactersInAValueAreNotSent(t *testing.T) {
	t.Parallel()
	type text struct {
		Text string `json:"text"`
	}
	mux := handler("POST /good", func(_ context.Context, r text) (fieldOf, error) { return fieldOf(r.Text), nil })
	mux.Handle("POST /bad", httptransport.NewServer(testSpec, func(_ context.Context, r text) (struct{}, error) {
		return struct{}{}, &httptransport.Error{Status: http.StatusTeapot, Header: fieldOf(r.Text).Header(), Err: errShown}
	}))
	mux.Handle("POST /challenge", httptransport.NewServer(testSpec, func(ctx context.Context, r text) (struct{}, error) {
		transport.FromContext(ctx).Response.Set("X-Own", r.Text)
		return struct{}{}, &httptransport.Error{Status: http.StatusTeapot, Err: errShown}
	}))
	srv, _ := start(t, mux)
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for c := range rune(0x80) {
		want := "a" + string(c) + "b"
		if c < ' ' && c != '\t' || c == 0x7f {
			want = "a b"
		}
		for path, code := range map[string]int{"/good": http.StatusOK, "/bad": http.StatusTeapot, "/challenge": http.StatusTeapot} {
			body, err := json.New().Append(nil, text{"a" + string(c) + "b"})
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Post(srv.URL+path, "application/json", bytes.NewReader(body))
			if err != nil {
				t.Errorf("%s: %q: %v", path, c, err)
				continue
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if have := response.Header.Get("X-Own"); response.StatusCode != code || have != want {
				t.Errorf("%s: %q: want %d, %q, have %d, %q", path, c, code, want, response.StatusCode, have)
			}
		}
	}
}
