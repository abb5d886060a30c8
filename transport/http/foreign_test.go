package httptransport_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// foreign returns the error that a client makes of a response that some other server gave.
func foreign(t *testing.T, code int, contentType, body string, header ...string) *status.Error {
	t.Helper()
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{contentType}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}))
	_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
	e, ok := err.(*status.Error) //nolint:errorlint // it must be one itself
	if !ok {
		t.Fatalf("want a *status.Error, have %T: %v", err, err)
	}
	return e
}

func TestErrorsOfOtherServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		code              int
		contentType, body string
		want              status.Code
		message           string
	}{
		{"Spring", 404, "application/problem+json", `{"type":"about:blank","title":"Not Found","status":404,"detail":"No order 7","instance":"/orders/7"}`, status.NotFound, "No order 7"},
		{
			"ASP.NET", 400, "application/problem+json; charset=utf-8",
			`{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"errors":{"Count":["Out of range"]},"traceId":"00-1-2-00"}`,
			status.InvalidArgument, "One or more validation errors occurred.",
		},
		{"no status in it", 403, "application/problem+json", `{"title":"You may not"}`, status.PermissionDenied, "You may not"},
		{"empty object", 409, "application/problem+json", `{}`, status.Aborted, ""},
		{"a code of its own", 404, "application/problem+json", `{"code":"ORD-17","title":"gone"}`, status.NotFound, ""},
		{"a code that is a number", 404, "application/problem+json", `{"code":17,"title":"gone"}`, status.NotFound, "gone"},
		{"unknown said so", 500, "application/problem+json", `{"code":"unknown","detail":"x"}`, status.Unknown, "x"},
		{"not JSON after all", 503, "application/problem+json", `<html>`, status.Unavailable, "orders/Place answered HTTP 503"},
		{"an array", 503, "application/problem+json", `[]`, status.Unavailable, "orders/Place answered HTTP 503"},
		{"HTML of a proxy", 502, "text/html", "<html>Bad Gateway</html>", status.Unavailable, "orders/Place answered HTTP 502"},
		{"JSON of another kind", 401, "application/json", `{"error":"no"}`, status.Unauthenticated, "orders/Place answered HTTP 401"},
		{"nothing", 504, "", "", status.DeadlineExceeded, "orders/Place answered HTTP 504"},
		{"a status that is no error", 304, "", "", status.Unknown, "orders/Place answered HTTP 304"},
		{"endless", 500, "application/problem+json", `{"detail":"` + strings.Repeat("x", 1<<20) + `"}`, status.Internal, "orders/Place answered HTTP 500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			have := foreign(t, tt.code, tt.contentType, tt.body)
			if have.Code != tt.want || tt.name != "a code of its own" && have.Message != tt.message {
				t.Errorf("want %v %q, have %v %q", tt.want, tt.message, have.Code, have.Message)
			}
			if text := have.Error(); len(text) > 2000 {
				t.Errorf("the text has %d bytes", len(text))
			}
			if tt.contentType == "text/html" && (strings.Contains(have.Message, "<html>") || !strings.Contains(have.Error(), "Bad Gateway")) {
				t.Errorf("want the page in the cause and not in the message, have %v", have)
			}
		})
	}
}

func TestRetryAfterOfOtherServers(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		value    string
		min, max time.Duration
	}{
		{"120", 2 * time.Minute, 2 * time.Minute},
		{"0", 0, 0},
		{in(time.Hour), 59 * time.Minute, time.Hour},
		{in(-time.Hour), 0, 0},
		{"-5", 0, 0},
		{"soon", 0, 0},
		{"1.5", 0, 0},
		{"4294967296", time.Hour, 1 << 62},
		{"99999999999999999999999", time.Hour, 1 << 62},
	} {
		for _, contentType := range []string{"text/html", status.ProblemType} {
			have := foreign(t, 503, contentType, `{}`, "Retry-After", tt.value).RetryAfter
			if have < tt.min || have > tt.max {
				t.Errorf("%s: want %v to %v, have %v", tt.value, tt.min, tt.max, have)
			}
		}
	}
}

func FuzzErrorOf(f *testing.F) {
	f.Add(404, "application/problem+json", `{"code":"not_found","retryAfter":"1.5s","violations":[{"field":"a"}]}`, "1")
	f.Add(500, "application/problem+json;x", `{"details":[{"type":"x","value":{}}]}`, "Mon, 02 Jan 2006 15:04:05 GMT")
	f.Add(999, "text/html", "\xff<", "-1")
	var response http.Response
	client := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		r := response
		return &r, nil
	})}
	conn := dial(f, "http://localhost", httptransport.DialClient(client))
	c := newClient[*pair, *total](f, conn, "POST /x")
	f.Fuzz(func(t *testing.T, code int, contentType, body, retryAfter string) {
		if code >= 200 && code < 300 || code == 301 || code == 302 || code == 303 || code == 307 || code == 308 {
			t.Skip()
		}
		response = http.Response{
			StatusCode: code, ContentLength: -1, Body: readCloser(body),
			Header: http.Header{"Content-Type": {contentType}, "Retry-After": {retryAfter}},
		}
		_, err := c(context.Background(), &pair{})
		e := status.As(err)
		if e == nil || e.Code == status.OK || !e.Code.Valid() || e.RetryAfter < 0 {
			t.Errorf("have %#v", err)
		}
		_ = fmt.Sprint(err)
	})
}
