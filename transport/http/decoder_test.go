package httptransport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// readText is a decoder of a response that is plain text.
func readText(_ context.Context, r *http.Response) (string, error) {
	data, err := io.ReadAll(r.Body)
	return string(data), err
}

func answering(t *testing.T, code int, contentType, body string) *httptransport.Conn {
	t.Helper()
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	return dial(t, srv.URL)
}

func TestWhatAClientDecoderReadsIsLimitedAndCounted(t *testing.T) {
	t.Parallel()
	const limit = 100
	for _, size := range []int{limit, limit + 1} {
		var outcome httptransport.Outcome
		call := newClient[int, string](t, answering(t, 200, "text/plain", strings.Repeat("x", size)), "POST /x",
			httptransport.ClientMaxResponse(limit), httptransport.ClientDecoder(readText),
			httptransport.ClientFinalizer(func(_ context.Context, o httptransport.Outcome) { outcome = o }))
		ctx, observer := transport.Observe(t.Context())
		text, err := call(ctx, 1)
		if size > limit {
			if want := "the response of orders/Place is larger than 100 bytes"; status.CodeOf(err) != status.ResourceExhausted || status.As(err).Message != want {
				t.Errorf("%d bytes: want %q, have %v", size, want, err)
			}
			continue
		}
		if err != nil || len(text) != size || outcome.ResponseSize != limit || observer.Info().ResponseSize != limit {
			t.Errorf("have %d bytes, %v, and %d in the outcome, %d observed", len(text), err, outcome.ResponseSize, observer.Info().ResponseSize)
		}
	}
}

func TestErrorsInAnotherFormAreReadByAnErrorDecoder(t *testing.T) {
	t.Parallel()
	decoders := httptransport.ClientErrorDecoder(
		func(context.Context, *http.Response, []byte) error { return nil },
		func(_ context.Context, r *http.Response, body []byte) error {
			if reason, ok := strings.CutPrefix(string(body), "reason="); ok {
				return status.Errorf(status.FromHTTP(r.StatusCode), "refused").WithReason(reason)
			}
			return nil
		},
		func(context.Context, *http.Response, []byte) error {
			return errors.New("asked after there was an error")
		},
	)
	asked := 0
	outer := httptransport.ClientErrorDecoder(func(_ context.Context, _ *http.Response, body []byte) error {
		asked++
		if len(body) > 64<<10 {
			t.Errorf("have %d bytes", len(body))
		}
		return nil
	})
	for _, row := range []struct {
		contentType, body string
		want              *status.Error
	}{
		{"text/plain", "reason=LATE", &status.Error{Code: status.Aborted, Message: "refused", Reason: "LATE"}},
		{status.ProblemType, `{"code":"aborted","detail":"reason=LATE"}`, &status.Error{Code: status.Aborted, Message: "reason=LATE"}},
	} {
		call := newClient[int, string](t, answering(t, http.StatusConflict, row.contentType, row.body), "POST /x", outer, decoders)
		_, err := call(t.Context(), 1)
		if have := status.As(err); have == nil || have.Error() != row.want.Error() {
			t.Errorf("%s: want %v, have %v", row.contentType, row.want, err)
		}
	}
	call := newClient[int, string](t, answering(t, http.StatusConflict, "text/plain", strings.Repeat("x", 1<<20)), "POST /x", outer)
	if _, err := call(t.Context(), 1); err == nil || status.As(err).Message != "orders/Place answered HTTP 409" {
		t.Errorf("want what the client makes of the HTTP status, have %v", err)
	}
	if asked != 2 { // beside the others, and alone; not about problem details
		t.Errorf("want the first option asked twice, have %d times", asked)
	}
}
