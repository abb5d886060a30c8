package log_test

import (
	"context"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

type (
	quoteRequest struct {
		Count int `json:"count"`
	}
	quote struct {
		Price float64 `json:"price"`
	}
)

// priceOf divides by the count; of 0 comes an answer that JSON has no number for.
func priceOf(_ context.Context, r quoteRequest) (quote, error) {
	return quote{10 / float64(r.Count)}, nil
}

// Around the endpoint the middleware sees calls; as ServerMiddleware it also sees the requests that were not understood.
func ExampleMiddleware_serverMiddleware() {
	logger := without(log.New(os.Stdout, log.NoTime()), "duration", "err")
	spec := endpoint.Spec{Service: "shop", Method: "Quote"}
	common := endpoint.Chain(endpoint.Recover(), endpoint.Validate())

	mux := http.NewServeMux()
	mux.Handle("POST /quotes", httptransport.NewServer(spec, endpoint.New(spec, priceOf, common),
		httptransport.ServerMiddleware(log.Middleware(logger))))

	for _, body := range []string{`{"count":2}`, `{"count":"two"}`} {
		r := httptest.NewRequest(http.MethodPost, "/quotes", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// level=info msg=call side=server operation=shop/Quote kind=unary transport=http peer=192.0.2.1:1234 code=ok request_size=11
	// level=info msg=call side=server operation=shop/Quote kind=unary transport=http peer=192.0.2.1:1234 code=invalid_argument request_size=15
}

// The table in docs/log.md.
func TestWhatEachPlacementSees(t *testing.T) {
	t.Parallel()
	const none = ""
	spec := endpoint.Spec{Service: "shop", Method: "Quote"}
	for name, test := range map[string]struct {
		body, contentType, accept string
		status                    int
		around, outside           string // the code on the line of each placement
	}{
		"answered":               {`{"count":2}`, "application/json", "", 200, "ok", "ok"},
		"of a wrong form":        {`{"count":"two"}`, "application/json", "", 400, none, "invalid_argument"},
		"too large":              {`{"count":` + strings.Repeat(" ", 100) + `2}`, "application/json", "", 413, none, "resource_exhausted"},
		"of an unknown encoding": {`count: 2`, "text/yaml", "", 415, none, "invalid_argument"},
		"wants no known answer":  {`{"count":2}`, "application/json", "image/png", 406, none, "invalid_argument"},
		"cannot be answered":     {`{"count":0}`, "application/json", "", 500, "ok", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var around, outside recorder
			handler := httptransport.NewServer(spec, endpoint.New(spec, priceOf, log.Middleware(&around)),
				httptransport.ServerMiddleware(log.Middleware(&outside)), httptransport.ServerMaxRequest(64))
			r := httptest.NewRequest(http.MethodPost, "/quotes", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.contentType)
			if test.accept != "" {
				r.Header.Set("Accept", test.accept)
			}
			r = r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, &http.Server{ErrorLog: stdlog.New(io.Discard, "", 0)}))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.status {
				t.Errorf("want %d, have %d", test.status, w.Code)
			}
			for placement, codes := range map[string][2]string{
				"around":  {test.around, strings.Join(column(&around, "code"), " ")},
				"outside": {test.outside, strings.Join(column(&outside, "code"), " ")},
			} {
				if want, have := codes[0], codes[1]; want != have {
					t.Errorf("%s: want %q, have %q", placement, want, have)
				}
			}
		})
	}
}
