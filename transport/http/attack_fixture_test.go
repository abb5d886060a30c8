package httptransport_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// hardened serves h by NewHTTPServer on a port of its own until the test ends, and returns the address.
func hardened(t testing.TB, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, httptransport.NewHTTPServer(h), l, nil)
	return l.Addr().String()
}

// runUntilEnd serves l until the test ends, and waits for all connections: net/http keeps one that it refuses for half a second more.
func runUntilEnd(t testing.TB, srv *http.Server, l net.Listener, config *tls.Config) {
	t.Helper()
	srv.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLSConfig = config
	var serving, conns sync.WaitGroup
	changed := srv.ConnState
	srv.ConnState = func(conn net.Conn, state http.ConnState) {
		changed(conn, state)
		switch state {
		case http.StateNew:
			conns.Add(1)
		case http.StateClosed, http.StateHijacked:
			conns.Done()
		default:
		}
	}
	serving.Go(func() {
		if config != nil {
			_ = srv.ServeTLS(l, "", "")
			return
		}
		_ = srv.Serve(l)
	})
	t.Cleanup(func() {
		_ = srv.Close()
		serving.Wait()
		conns.Wait()
	})
}

// attackLimit is how long an attack may take before the test gives up.
const attackLimit = 20 * time.Second

// wire opens a connection of its own, which ends with the test.
func wire(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(attackLimit))
	return conn.(*net.TCPConn) //nolint:forcetypeassert // it is one
}

// exchangeRaw sends text, and returns the statuses of all answers up to the end of the connection. A server that closes a connection with
// bytes in it that it has not read resets it, and the answer may be lost: once in a while there is none.
func exchangeRaw(t *testing.T, address, text string) (codes []int, headers []http.Header) {
	t.Helper()
	conn := wire(t, address)
	if _, err := io.WriteString(conn, text); err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	_ = conn.CloseWrite()
	r := bufio.NewReader(conn)
	for {
		if _, err := r.Peek(1); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%.80q: the connection is not closed", text)
			}
			return codes, headers
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%.80q: an answer that is none: %v", text, err)
			}
			return codes, headers
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%.80q: half an answer: %v", text, err)
		}
		codes, headers = append(codes, response.StatusCode), append(headers, response.Header)
	}
}

// witness notes the requests that reach a handler.
type witness struct {
	http.Handler

	mu   sync.Mutex
	seen []string
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.seen = append(w.seen, r.Method+" "+r.URL.Path)
	w.mu.Unlock()
	w.Handler.ServeHTTP(rw, r)
}

// saw returns what reached the handler since it was asked last.
func (w *witness) saw() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := slices.Clone(w.seen)
	w.seen = nil
	return seen
}

// serveOn serves nothing on l by NewHTTPServer until the test ends, and returns what dials it.
func serveOn(t *testing.T, l *pipes) func() net.Conn {
	t.Helper()
	runUntilEnd(t, httptransport.NewHTTPServer(http.NotFoundHandler()), l, nil)
	return func() net.Conn {
		conn := l.dial()
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}
