package httptransport_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// countingConn counts the writes to a connection.
type countingConn struct {
	net.Conn

	writes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestASmallCallIsOneWrite(t *testing.T) {
	t.Parallel()
	var requests, responses atomic.Int64
	srv := httptest.NewUnstartedServer(handler("POST /x", add))
	srv.Listener = countingListener{srv.Listener, &responses}
	srv.Start()
	defer srv.Close()
	own := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return countingConn{conn, &requests}, err
	}}
	defer own.CloseIdleConnections()
	c := newClient[*pair, *total](t, dial(t, srv.URL, httptransport.DialClient(&http.Client{Transport: own})), "POST /x")
	const calls = 10
	for range calls {
		if _, err := c(t.Context(), &pair{1, 2}); err != nil {
			t.Fatal(err)
		}
	}
	if have := requests.Load(); have != calls {
		t.Errorf("want one write a request, have %d for %d", have, calls)
	}
	if have := responses.Load(); have != calls {
		t.Errorf("want one write a response, have %d for %d", have, calls)
	}
}

type countingListener struct {
	net.Listener

	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn, l.writes}, nil
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	srv := httptest.NewUnstartedServer(handler("POST /x", func(ctx context.Context, r *pair) (*total, error) {
		if r.A == 13 {
			return nil, status.New(status.NotFound, "none")
		}
		return add(ctx, r)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	conn := dial(t, srv.URL)
	first := newClient[*pair, *total](t, conn, "POST /x")
	second := newClient[*pair, *struct{}](t, conn, "POST /x")
	for i := range 500 {
		_, _ = first(t.Context(), &pair{A: i % 14}) // errors among them
		if _, err := second(t.Context(), &pair{}); err != nil {
			t.Fatal(err)
		}
	}
	if have := opened.Load(); have != 1 {
		t.Errorf("1,000 calls, one after another, of two clients: want 1 connection, have %d", have)
	}
	const parallel = 16
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for range 50 {
				if have, err := first(t.Context(), &pair{1, 2}); err != nil || have.Sum != 3 {
					t.Errorf("want 3, have %v, %v", have, err)
					return
				}
			}
		})
	}
	wg.Wait()
	// While a connection goes back to the pool, the next call may already have begun to dial.
	if have := opened.Load(); have > 2*parallel {
		t.Errorf("16 at a time: want at most %d connections, have %d", 2*parallel, have)
	}
}

func TestRedirectsReplayTheBody(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		mux := handler("POST /new", add)
		mux.HandleFunc("POST /x", func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 13 || r.TransferEncoding != nil {
				t.Errorf("want a length of 13, have %d %v", r.ContentLength, r.TransferEncoding)
			}
			http.Redirect(w, r, "/new", code)
		})
		srv, _ := start(t, mux)
		have, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{1, 2})
		if err != nil || have.Sum != 3 {
			t.Errorf("%d: want 3, have %v, %v", code, have, err)
		}
	}
}

func TestACallOnAConnectionThatWasClosedIsReplayed(t *testing.T) {
	t.Parallel()
	h := handler("POST /x", add)
	var attempts []string
	client := &http.Client{Transport: &http.Transport{}}
	broken := roundTripper(func(r *http.Request) (*http.Response, error) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		attempts = append(attempts, string(data))
		if len(attempts) == 1 { // what http.Transport does when an idle connection turns out to be closed
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
			if data, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			attempts = append(attempts, string(data))
		}
		w := httptest.NewRecorder()
		replay := r.Clone(r.Context())
		replay.Body = io.NopCloser(bytes.NewReader(data))
		h.ServeHTTP(w, replay)
		return w.Result(), nil
	})
	client.Transport = broken
	c := newClient[*pair, *total](t, dial(t, "http://h", httptransport.DialClient(client)), "POST /x")
	if have, err := c(t.Context(), &pair{1, 2}); err != nil || have.Sum != 3 {
		t.Fatalf("want 3, have %v, %v", have, err)
	}
	if want := `{"a":1,"b":2}`; len(attempts) != 2 || attempts[0] != want || attempts[1] != want {
		t.Errorf("want %q twice, have %q", want, attempts)
	}

	// The same by http.Transport itself: the server closes each connection after its first answer, unannounced.
	var closed sync.WaitGroup
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			_ = conn.Close()
			closed.Done()
		}
	}
	srv.Start()
	defer srv.Close()
	c = newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")
	for i := range 50 {
		closed.Add(1)
		if have, err := c(t.Context(), &pair{1, 2}); err != nil || have.Sum != 3 {
			if status.CodeOf(err) == status.Unavailable && !errors.Is(err, transport.ErrNotSent) {
				closed.Done() // sent before the end of the connection was seen: net/http must not repeat a POST
				continue
			}
			t.Fatalf("call %d: want 3, have %v, %v", i, have, err)
		}
		closed.Wait()
	}
}

func TestBodiesStayWhatTheyAreWhileTheServerAnswersEarly(t *testing.T) {
	t.Parallel()
	type document struct {
		Sum  string `header:"X-Sum" json:"-"`
		Text string `json:"text"`
	}
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Sum") == "early" {
			w.WriteHeader(http.StatusForbidden) // nothing of the body is read
			return
		}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if have := fmt.Sprintf("%x", sha256.Sum256(data)); have != r.Header.Get("X-Sum") {
			t.Errorf("want a body with the sum %s, have %s", r.Header.Get("X-Sum"), have)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	c := newClient[*document, struct{}](t, dial(t, srv.URL), "POST /x")
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for round := range rounds {
				d := &document{Sum: "early", Text: strings.Repeat(string(rune('a'+(worker+round)%26)), 300_000)}
				if worker%2 == 0 {
					d.Sum = fmt.Sprintf("%x", sha256.Sum256([]byte(`{"text":"`+d.Text+`"}`)))
				}
				if _, err := c(t.Context(), d); worker%2 == 0 && err != nil {
					t.Errorf("worker %d: %v", worker, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"localhost:80": "the scheme is", "ftp://h": `the scheme is "ftp"`, "http://": "there is no host", "http://h?x=1": "no query", "http://h#x": "no fragment",
		"http://h\n": "invalid control character", "": "the scheme is",
	} {
		if _, err := httptransport.Dial(base); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, have %v", base, want, err)
		}
	}
	if _, err := httptransport.Dial("http://h", httptransport.DialClient(nil)); err == nil {
		t.Error("DialClient(nil): want an error")
	}
}

func TestClosingAConnTwice(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", add))
	conn := dial(t, srv.URL+"/")
	if _, err := newClient[*pair, *total](t, conn, "POST /x")(t.Context(), &pair{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if have := conn.BaseURL(); have != srv.URL {
		t.Errorf("want %s, have %s", srv.URL, have)
	}
}
