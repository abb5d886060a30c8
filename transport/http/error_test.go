package httptransport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestEveryCodeReachesTheClientAsAnEqualError(t *testing.T) {
	t.Parallel()
	var err error
	c := remote(t, "POST /x", func(context.Context, *pair) (*total, error) { return nil, err })
	for code := status.Canceled; code <= status.Unauthenticated; code++ {
		detail, _ := status.NewDetail("shop.OutOfStock", map[string]any{"sku": "a", "left": 2})
		want := &status.Error{
			Code: code, Message: `quotes " and ü`, Reason: "SOME_REASON", ID: "0123456789abcdef", RetryAfter: 1500 * time.Millisecond,
			Violations: []status.Violation{{Field: "items[0].price", Description: "is negative"}},
			Details:    []status.Detail{detail},
		}
		bare := &status.Error{Code: code}
		for _, tt := range []struct {
			name       string
			sent, want *status.Error
		}{{"full", want, want}, {"bare", bare, bare}, {"with a cause", want.WithCause(errors.New("hunter2")), want}} {
			err = tt.sent
			if _, have := c(t.Context(), &pair{}); !reflect.DeepEqual(error(tt.want), have) {
				t.Errorf("%v, %s: want %+v, have %+v", code, tt.name, tt.want, have)
			}
			err = fmt.Errorf("select from orders: %w", tt.sent)
			if _, have := c(t.Context(), &pair{}); !reflect.DeepEqual(error(tt.want), have) {
				t.Errorf("%v, %s, wrapped: want %+v, have %+v", code, tt.name, tt.want, have)
			}
		}
	}
}

func TestSecretsOfACauseNeverReachTheWire(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	cause := errors.New("dial postgres://admin:" + secret + "@db: refused")
	for name, err := range map[string]error{
		"plain":       cause,
		"wrapped":     fmt.Errorf("place: %w", cause),
		"joined":      errors.Join(cause, cause),
		"as cause":    status.New(status.Unavailable, "try later").WithCause(cause),
		"around":      fmt.Errorf("%w: %w", cause, status.New(status.NotFound, "none")),
		"http error":  &httptransport.Error{Status: 502, Err: cause},
		"and context": errors.Join(context.Canceled, cause),
	} {
		w := ask(handler("POST /x", failing(err)), "POST", "/x", "{}")
		if w.Code < 400 || strings.Contains(w.Body.String(), secret) || strings.Contains(fmt.Sprint(w.Header()), secret) {
			t.Errorf("%s: have %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
}

func TestErrorsWithAStatusOfTheirOwn(t *testing.T) {
	t.Parallel()
	for code := range 1001 {
		want := code
		if code < 400 || code > 599 {
			want = http.StatusInternalServerError
		}
		err := fmt.Errorf("wrapped: %w", &httptransport.Error{
			Status: code,
			Header: http.Header{"Allow": {"GET"}, "x-lower": {"1"}, "content-length": {"1"}, "Content-Type": {"text/html"}},
			Err:    status.New(status.Aborted, "text").WithReason("WHY"),
		})
		w := ask(handler("POST /x", failing(err)), "POST", "/x", "{}")
		e := problem(t, w)
		if w.Code != want || e.Code != status.Aborted || e.Reason != "WHY" || w.Header().Get("Allow") != "GET" || w.Header().Get("X-Lower") != "1" {
			t.Fatalf("%d: want %d, have %d %v %v", code, want, w.Code, e, w.Header())
		}
		if have := w.Header()["Content-Length"]; len(have) != 1 || have[0] != strconv.Itoa(w.Body.Len()) {
			t.Fatalf("%d: want a content length of %d, have %q", code, w.Body.Len(), have)
		}
	}
	for _, code := range []int{-1, 1 << 40} {
		if w := ask(handler("POST /x", failing(&httptransport.Error{Status: code})), "POST", "/x", "{}"); w.Code != 500 {
			t.Errorf("%d: want 500, have %d", code, w.Code)
		}
	}
}

func TestErrorsThatAreNil(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"status": (*status.Error)(nil), "http": (*httptransport.Error)(nil), "no error in it": &httptransport.Error{Status: 418},
	} {
		if w := ask(handler("POST /x", failing(err)), "POST", "/x", "{}"); w.Code < 400 {
			t.Errorf("%s: want an error, have %d %s", name, w.Code, w.Body)
		}
	}
}

func TestContextErrorsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{context.Canceled: 499, context.DeadlineExceeded: 504} {
		w := ask(handler("POST /x", failing(fmt.Errorf("db: %w", err))), "POST", "/x", "{}")
		if w.Code != want || !errors.Is(problem(t, w), err) {
			t.Errorf("%v: want %d, have %d %s", err, want, w.Code, w.Body)
		}
	}
}

func TestRetryAfterInTheHeader(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "", time.Nanosecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Hour: "3600", 1<<63 - 1: "9223372037",
	} {
		w := ask(handler("POST /x", failing(status.New(status.Unavailable, "x").WithRetryAfter(d))), "POST", "/x", "{}")
		if have := w.Header().Get("Retry-After"); have != want {
			t.Errorf("%v: want %q, have %q", d, want, have)
		}
	}
}

func TestDeadlinesReachTheServer(t *testing.T) {
	t.Parallel()
	var left time.Duration
	c := remote(t, "POST /x", func(ctx context.Context, r *pair) (*total, error) {
		deadline, ok := ctx.Deadline()
		if left = time.Until(deadline); !ok {
			left = -1
		}
		return add(ctx, r)
	})
	if _, err := c(t.Context(), &pair{}); err != nil || left != -1 {
		t.Errorf("want no deadline, have %v, %v", left, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := c(ctx, &pair{}); err != nil || left < 59*time.Minute || left > time.Hour {
		t.Errorf("want an hour, have %v, %v", left, err)
	}
}

func TestMalformedDeadlines(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "1", "m", "-1m", "1x", "123456789m", "1.5S", "１m"} {
		called := false
		h := handler("POST /x", func(context.Context, *pair) (*total, error) { called = true; return &total{}, nil })
		w := ask(h, "POST", "/x", "{}", transport.TimeoutHeader+": "+text)
		if e := problem(t, w); w.Code != 400 || len(e.Violations) != 1 || e.Violations[0].Field != transport.TimeoutHeader || called {
			t.Errorf("%q: want 400 that names the field and no call, have %d %v, %v", text, w.Code, e, called)
		}
	}
}

func TestTheServerHeedsTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := handler("POST /x", func(ctx context.Context, _ *pair) (*total, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		begin := time.Now()
		if w := ask(h, "POST", "/x", "{}", transport.TimeoutHeader+": 1500m"); w.Code != 504 || time.Since(begin) != 1500*time.Millisecond {
			t.Errorf("want 504 after 1.5 s, have %d after %v", w.Code, time.Since(begin))
		}
	})
}

func TestABodyThatDoesNotArriveInTime(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(handler("POST /x", add))
	srv.Config.ReadTimeout = 50 * time.Millisecond
	srv.Start()
	defer srv.Close()
	_, r := raw(t, srv, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
	if code, body := answer(t, r); code != http.StatusRequestTimeout || !strings.Contains(body, "did not arrive in time") {
		t.Errorf("want 408, have %d %s", code, body)
	}
}
