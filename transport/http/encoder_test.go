package httptransport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// writing mounts a server whose encoder is f, and returns what its finalizer sees.
func writing(t *testing.T, f func(w http.ResponseWriter) error) (url string, outcome <-chan httptransport.Outcome) {
	t.Helper()
	outcomes := make(chan httptransport.Outcome, 1)
	srv, _ := start(t, handler("GET /x", replying(1),
		httptransport.ServerEncoder(func(_ context.Context, w http.ResponseWriter, _ int) error { return f(w) }),
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o })))
	return srv.URL + "/x", outcomes
}

// fetch gets url with a client of its own.
func fetch(t *testing.T, url string) (response *http.Response, body string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err = client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response, string(data), err
}

func TestEncodersWriteTheResponse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		encode func(w http.ResponseWriter) error
		code   int
		body   string
	}{
		{"status and body", func(w http.ResponseWriter) error {
			w.WriteHeader(http.StatusAccepted)
			_, err := io.WriteString(w, "text")
			return err
		}, http.StatusAccepted, "text"},
		{"body alone", func(w http.ResponseWriter) error {
			_, err := io.WriteString(w, "text")
			return err
		}, http.StatusOK, "text"},
		{"nothing", func(http.ResponseWriter) error { return nil }, http.StatusOK, ""},
		{"early hints first", func(w http.ResponseWriter) error {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
			return nil
		}, http.StatusCreated, ""},
		{"flushed", func(w http.ResponseWriter) error {
			w.(http.Flusher).Flush() //nolint:forcetypeassert // a failure is a failed test
			return nil
		}, http.StatusOK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, outcome := writing(t, tt.encode)
			response, body, err := fetch(t, url)
			if err != nil || response.StatusCode != tt.code || body != tt.body {
				t.Fatalf("want %d %q, have %v %q, %v", tt.code, tt.body, response, body, err)
			}
			if have, want := <-outcome, (httptransport.Outcome{Status: tt.code, ResponseSize: int64(len(tt.body))}); have != want {
				t.Errorf("want %+v, have %+v", want, have)
			}
		})
	}
}

func TestAnEncoderThatFailsBeforeTheFirstByteIsAnError(t *testing.T) {
	t.Parallel()
	ofTheResponse := []string{"Content-Encoding", "ETag", "Last-Modified", "Cache-Control"}
	url, outcome := writing(t, func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Length", "1000")
		for _, key := range ofTheResponse {
			w.Header().Set(key, "x")
		}
		return status.New(status.Aborted, "no luck")
	})
	response, body, err := fetch(t, url)
	if err != nil || response.StatusCode != http.StatusConflict || !strings.Contains(body, "no luck") ||
		response.Header.Get("Content-Type") != status.ProblemType {
		t.Errorf("want 409 as problem details, have %v %q, %v", response, body, err)
	}
	for _, key := range ofTheResponse {
		if have := response.Header.Get(key); have != "" {
			t.Errorf("%s spoke of the response that was not sent: %q", key, have)
		}
	}
	if o := <-outcome; o.Status != http.StatusConflict || status.CodeOf(o.Err) != status.Aborted {
		t.Errorf("outcome: %+v", o)
	}
}

func TestAnEncoderThatFailsAfterTheFirstByteCutsTheConnection(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 1 << 20} {
		url, outcome := writing(t, func(w http.ResponseWriter) error {
			if _, err := io.WriteString(w, strings.Repeat("x", size)); err != nil {
				return err
			}
			return errors.New("the rest is missing")
		})
		if response, body, err := fetch(t, url); err == nil {
			t.Errorf("%d: want an incomplete response, have %v with %d bytes", size, response, len(body))
		}
		if o := <-outcome; o.Status != http.StatusOK || o.Err == nil || !strings.Contains(o.Err.Error(), "the rest is missing") {
			t.Errorf("%d: want 200 and the error, have %+v", size, o)
		}
	}
}

func TestTheRecorderHidesNothing(t *testing.T) {
	t.Parallel()
	url, outcome := writing(t, func(w http.ResponseWriter) error {
		control := http.NewResponseController(w)
		if err := control.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := control.EnableFullDuplex(); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
		_, err := io.WriteString(w, "text")
		return err
	})
	if _, body, err := fetch(t, url); err != nil || body != "text" {
		t.Errorf("have %q, %v", body, err)
	}
	if o := <-outcome; o.Err != nil || o.Status != http.StatusOK {
		t.Errorf("outcome: %+v", o)
	}
}

func TestAFlushThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	h := handler("GET /x", replying(1), httptransport.ServerEncoder(func(_ context.Context, w http.ResponseWriter, _ int) error {
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("want %v, have %v", http.ErrNotSupported, err)
		}
		return nil
	}))
	type bare struct{ http.ResponseWriter }
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/x", http.NoBody)
	h.ServeHTTP(bare{newSink()}, r)
}

func TestHijackedConnections(t *testing.T) {
	t.Parallel()
	for name, hijack := range map[string]func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error){
		"by controller": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return http.NewResponseController(w).Hijack()
		},
		"by assertion": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) { return w.(http.Hijacker).Hijack() }, //nolint:forcetypeassert // as above
	} {
		for _, after := range []error{nil, errors.New("after the handshake")} {
			url, outcome := writing(t, func(w http.ResponseWriter) error {
				conn, _, err := hijack(w)
				if err != nil {
					return err
				}
				_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
				return errors.Join(err, conn.Close(), after)
			})
			if _, body, err := fetch(t, url); err != nil || body != "hi" {
				t.Errorf("%s: have %q, %v", name, body, err)
			}
			if o := <-outcome; !errors.Is(o.Err, after) || o.Status != http.StatusSwitchingProtocols {
				t.Errorf("%s: want 101 and %v, have %+v", name, after, o)
			}
		}
	}
}

// sink is a ResponseWriter that keeps nothing but the last status.
type sink struct {
	header http.Header
	code   int
}

func newSink() *sink                            { return &sink{header: make(http.Header, 4)} }
func (s *sink) Header() http.Header             { return s.header }
func (s *sink) WriteHeader(code int)            { s.code = code }
func (s *sink) Write(p []byte) (n int, _ error) { return len(p), nil }
