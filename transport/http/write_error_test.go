package httptransport_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestHandlersBesideEndpointsAnswerErrorsAlike(t *testing.T) {
	t.Parallel()
	limited := status.New(status.ResourceExhausted, "slower").WithReason("SLOW").WithRetryAfter(1500 * time.Millisecond)
	for name, err := range map[string]error{
		"a status":                limited,
		"a wrapped one":           fmt.Errorf("secret: %w", limited),
		"with a status of HTTP":   &httptransport.Error{Status: http.StatusGone, Header: http.Header{"X-Why": {"it went"}}, Err: limited},
		"with one that is none":   &httptransport.Error{Status: 200, Err: limited},
		"of a bad request":        status.Invalid(status.Violation{Field: "a", Description: "is missing"}),
		"of an expired call":      http.ErrHandlerTimeout,
		"that nobody was to read": errors.New("secret"),
	} {
		want := ask(handler("POST /x", failing(err), httptransport.ServerErrorHandler()), "POST", "/x", `{}`)
		have := httptest.NewRecorder()
		shown := status.From(err)
		httptransport.WriteError(have, shown)
		id := problem(t, want).ID
		if body := strings.ReplaceAll(have.Body.String(), shown.ID, id); body != want.Body.String() || have.Code != want.Code {
			t.Errorf("%s: want %d %s, have %d %s", name, want.Code, want.Body, have.Code, body)
		}
		if want, have := fmt.Sprint(want.Header()), fmt.Sprint(have.Header()); want != have {
			t.Errorf("%s: want %s, have %s", name, want, have)
		}
		if strings.Contains(have.Body.String(), "secret") {
			t.Errorf("%s: it tells all: %s", name, have.Body)
		}
	}
	w := httptest.NewRecorder()
	if httptransport.WriteError(w, nil); w.Code != http.StatusInternalServerError || problem(t, w).Code != status.Internal {
		t.Errorf("no error: want 500, have %d %s", w.Code, w.Body)
	}
}

func TestOnlyWhatForbidsCachingStaysInAnError(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"no-store": "no-store", "max-age=60": "", "public": ""} {
		w := httptest.NewRecorder()
		w.Header().Set("Cache-Control", value)
		w.Header().Set("ETag", `"1"`)
		httptransport.WriteError(w, status.New(status.NotFound, "no"))
		if have := w.Header().Get("Cache-Control"); have != want || w.Header().Get("ETag") != "" {
			t.Errorf("%s: want %q, have %v", value, want, w.Header())
		}
	}
}
