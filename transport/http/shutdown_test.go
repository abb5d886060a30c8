package httptransport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// shutdownOf is a server that is shut down, in a bubble.
type shutdownOf struct {
	listener *pipes
	began    time.Time
	done     chan error
}

// shutDown begins to shut a server of h down that has these connections, each of which was used before, but for those that were not.
func shutDown(t *testing.T, h http.Handler, used, unused int) (c shutdownOf, conns []net.Conn) {
	t.Helper()
	s := httptransport.NewHTTPServer(h)
	c = shutdownOf{listener: newPipes(), done: make(chan error, 1)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(c.listener) })
	for i := range used + unused {
		conn := c.listener.dial()
		conns = append(conns, conn)
		t.Cleanup(func() { _ = conn.Close() })
		if i < used {
			exchange(t, conn, "")
		}
	}
	t.Cleanup(serving.Wait)
	synctest.Wait()
	c.began = time.Now()
	go func() { c.done <- httptransport.Shutdown(context.Background(), s, 0) }()
	synctest.Wait()
	return c, conns
}

// exchange sends a request with the field, and returns the answer.
func exchange(t *testing.T, conn net.Conn, field string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(conn, post+field+"\r\n"+`{"a":1,"b":2}`); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Body.Close() })
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Fatal(err)
	}
	return r
}

const knows = transport.NotBegunHeader + ": understood\r\n"

func TestShutdownRefusesCallsOfThoseWhoUnderstandIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, conns := shutDown(t, handler("POST /x", add), 2, 0)
		conns = append(conns, c.listener.dial(), c.listener.dial())
		for i, row := range []struct {
			field  string
			status int
		}{{knows, 503}, {"", 200}, {knows, 503}, {"", 200}} {
			r := exchange(t, conns[i], row.field)
			if refused := r.Header.Get(transport.NotBegunHeader) == "true"; r.StatusCode != row.status || refused != (row.status == 503) || !r.Close {
				t.Errorf("%d: want HTTP %d and the end of the connection, have %d with %v", i, row.status, r.StatusCode, r.Header)
			}
			if _, err := conns[i].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("%d: want the end of the connection, have %v", i, err)
			}
		}
		if err := <-c.done; err != nil || time.Since(c.began) != 0 {
			t.Errorf("want the end with that of the last connection, have %v after %v", err, time.Since(c.began))
		}
	})
}

func TestShutdownWaitsForConnectionsThatAreNotUsed(t *testing.T) {
	t.Parallel()
	const farewell = 500 * time.Millisecond
	for name, row := range map[string]struct {
		used, unused int
		takes        time.Duration
	}{"none": {0, 0, 0}, "an idle one": {1, 0, farewell}, "one that was never used": {0, 1, farewell}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, _ := shutDown(t, handler("POST /x", add), row.used, row.unused)
				err, took := <-c.done, time.Since(c.began)
				if polls := 500 * time.Millisecond; err != nil || took < row.takes || took > row.takes+polls { // of net/http
					t.Errorf("want the end after %v, have %v after %v", row.takes, err, took)
				}
			})
		})
	}
}

// A client opens connections ahead, also just before the end.
func TestShutdownDoesNotWaitLongForAConnectionThatHasJustCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := shutDown(t, handler("POST /x", add), 1, 0)
		time.Sleep(400 * time.Millisecond)
		conn := c.listener.dial()
		defer conn.Close()
		err, took := <-c.done, time.Since(c.began)
		if most := 2 * time.Second; err != nil || took > most {
			t.Errorf("want the end within %v, have %v after %v", most, err, took)
		}
	})
}

// What has begun ends, and takes its connection with it.
func TestShutdownClosesTheConnectionOfACallThatEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, leave := make(chan struct{}), make(chan struct{})
		h := handler("POST /x", func(ctx context.Context, p *pair) (*total, error) {
			close(began)
			<-leave
			return add(ctx, p)
		})
		s := httptransport.NewHTTPServer(h)
		l := newPipes()
		var work sync.WaitGroup
		work.Go(func() { _ = s.Serve(l) })
		conn := l.dial()
		defer conn.Close()
		work.Go(func() {
			if r := exchange(t, conn, knows); r.StatusCode != http.StatusOK || !r.Close {
				t.Errorf("want the response, and the end of the connection, have HTTP %d, %v", r.StatusCode, r.Header)
			}
		})
		<-began
		work.Go(func() {
			if err := httptransport.Shutdown(t.Context(), s, 0); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Minute)
		close(leave)
		work.Wait()
	})
}

func TestAClientKnowsThatACallWasNotBegun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		header, body string
		want         bool
	}{
		"problem details": {"true", `{"status":503,"code":"unavailable"}`, true},
		"something else":  {"true", "go away", true},
		"no":              {"", `{"status":503,"code":"unavailable"}`, false},
		"another value":   {"understood", "", false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if have := r.Header.Get(transport.NotBegunHeader); have != "understood" {
				t.Errorf("%s: want a client that understands it, have %q", name, have)
			}
			w.Header().Set(transport.NotBegunHeader, row.header)
			if strings.HasPrefix(row.body, "{") {
				w.Header().Set("Content-Type", status.ProblemType)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, row.body)
		}))
		_, err := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")(t.Context(), &pair{})
		if e := status.As(err); e == nil || e.Code != status.Unavailable || transport.NotBegun(err) != row.want {
			t.Errorf("%s: want unavailable, and not begun %t, have %v", name, row.want, err)
		}
		srv.Close()
	}
}
