package httptransport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestNewHTTPServerHasTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	h := http.NewServeMux()
	srv := httptransport.NewHTTPServer(h)
	for _, tt := range []struct {
		field      string
		want, have any
	}{
		{"Handler", http.Handler(h), srv.Handler},
		{"DisableGeneralOptionsHandler", true, srv.DisableGeneralOptionsHandler},
		{"ReadHeaderTimeout", 10 * time.Second, srv.ReadHeaderTimeout},
		{"ReadTimeout", time.Minute, srv.ReadTimeout},
		{"WriteTimeout", 2 * time.Minute, srv.WriteTimeout},
		{"IdleTimeout", 2 * time.Minute, srv.IdleTimeout},
		{"MaxHeaderBytes", 64 << 10, srv.MaxHeaderBytes},
		{"Protocols", "{HTTP1,HTTP2,UnencryptedHTTP2}", srv.Protocols.String()},
		{"HTTP2.MaxConcurrentStreams", 250, srv.HTTP2.MaxConcurrentStreams},
		{"HTTP2.SendPingTimeout", 30 * time.Second, srv.HTTP2.SendPingTimeout},
		{"HTTP2.PingTimeout", 15 * time.Second, srv.HTTP2.PingTimeout},
		{"HTTP2.WriteByteTimeout", 30 * time.Second, srv.HTTP2.WriteByteTimeout},
	} {
		if tt.want != tt.have {
			t.Errorf("%s: want %v, have %v", tt.field, tt.want, tt.have)
		}
	}
}

// connect returns a connection to a server of h as NewHTTPServer returns it, both of them in memory, so that the clock of
// testing/synctest is theirs.
func connect(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	srv := httptransport.NewHTTPServer(h)
	srv.ErrorLog = log.New(io.Discard, "", 0)
	l := newPipes()
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	conn := l.dial()
	t.Cleanup(func() {
		_ = conn.Close()
		_ = srv.Close()
		serving.Wait()
	})
	return conn
}

// post begins a call with a body of 13 bytes.
const post = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 13\r\n"

// trickle writes text, and then a space a second until that fails.
func trickle(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	var writing sync.WaitGroup
	writing.Go(func() {
		_, err := io.WriteString(conn, text)
		for err == nil {
			<-time.After(time.Second) // of the bubble's clock
			_, err = io.WriteString(conn, " ")
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		writing.Wait()
	})
}

func TestAHeaderThatTricklesInIsCutOff(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"in the request line": "GET /", "in a field": post + "X: ", "in the preface of HTTP/2": "PRI * HTTP",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := connect(t, handler("POST /x", add))
				begin := time.Now()
				trickle(t, conn, text)
				data, err := io.ReadAll(conn)
				if have := time.Since(begin); have != 10*time.Second || err != nil {
					t.Errorf("want the end after 10 s, have %q, %v after %v", data, err, have)
				}
			})
		})
	}
}

func TestABodyThatTricklesInIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", add))
		begin := time.Now()
		trickle(t, conn, strings.Replace(post, "13", "1000", 1)+"\r\n{")
		r := bufio.NewReader(conn)
		if code, body := answer(t, r); code != http.StatusRequestTimeout || time.Since(begin) != time.Minute {
			t.Errorf("want 408 after a minute, have %d %s after %v", code, body, time.Since(begin))
		}
		const linger = time.Second // net/http may leave the connection a moment to take the answer
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) || time.Since(begin) > time.Minute+linger {
			t.Errorf("want the end of the connection with it, have %v after %v", err, time.Since(begin))
		}
	})
}

func TestAHeaderHasALimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{60 << 10: http.StatusOK, 80 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		synctest.Test(t, func(t *testing.T) {
			conn := connect(t, handler("POST /x", add))
			go func() { _, _ = io.WriteString(conn, post+"X: "+strings.Repeat("x", size)+"\r\n\r\n"+`{"a":1,"b":2}`) }()
			if code, body := answer(t, bufio.NewReader(conn)); code != want {
				t.Errorf("%d bytes: want %d, have %d %s", size, want, code, body)
			}
		})
	}
}

func TestAConnectionThatIsNotUsedAnyMoreIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", add))
		r := bufio.NewReader(conn)
		for range 2 {
			if _, err := io.WriteString(conn, post+"\r\n"+`{"a":1,"b":2}`); err != nil {
				t.Fatal(err)
			}
			if code, body := answer(t, r); code != http.StatusOK {
				t.Fatalf("want 200, have %d %s", code, body)
			}
			time.Sleep(time.Minute + 50*time.Second) // shorter than the limit: it stays open
		}
		begin := time.Now()
		if _, err := r.ReadByte(); !errors.Is(err, io.EOF) || time.Since(begin) != 10*time.Second {
			t.Errorf("want the end 2 minutes after the last answer, have %v after 1m50s and %v", err, time.Since(begin))
		}
	})
}

// large answers with more than any buffer takes.
func large(context.Context, *pair) (string, error) { return strings.Repeat("x", 8*mib), nil }

func TestAClientThatDoesNotReadItsAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, handler("POST /x", large))
		if _, err := io.WriteString(conn, post+"\r\n"+`{"a":1,"b":2}`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute + time.Second)
		if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("want the end of the connection, have %d bytes, %v", n, err)
		}
	})
}

func TestTheServerAnswersNothingByItself(t *testing.T) {
	t.Parallel()
	asked := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, asked)
		if _, err := io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if code, _ := answer(t, bufio.NewReader(conn)); code != http.StatusTeapot {
			t.Errorf("OPTIONS *: want what the handler answers, have %d", code)
		}
	})
}
