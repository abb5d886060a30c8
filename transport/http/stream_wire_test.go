package httptransport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// rawConn connects to the server at baseURL, and sends text. Reading fails when it takes long.
func rawConn(t testing.TB, baseURL, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	u, err := url.Parse(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

const problemSeven = `{"title":"Bad Request","status":400,"detail":"not at <7>","code":"failed_precondition","reason":"NO_SEVEN",` +
	`"retryAfter":"1.5s","violations":[{"field":"n","description":"is seven"}]}`

func TestTheWireFormIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, streamMux())
	for _, row := range []struct{ name, accept, body, wantType, want string }{
		{"NDJSON", "*/*", `{"n":2}`, "application/x-ndjson", "{\"n\":1,\"from\":\"r\"}\n{\"n\":2,\"from\":\"r\"}\n"},
		{"JSON lines", "application/jsonl", `{"n":1}`, "application/jsonl", "{\"n\":1,\"from\":\"r\"}\n"},
		{"NDJSON, failing", "", `{"n":2,"fail":2}`, "application/x-ndjson", "{\"n\":1,\"from\":\"r\"}\n{\"$error\":" + problemSeven + "}\n"},
		{"failing at once", "", `{"n":2,"fail":1}`, status.ProblemType, problemSeven},
		{"events", "text/event-stream", `{"n":2}`, "text/event-stream",
			"id: 1\ndata: {\"n\":1,\"from\":\"r\"}\n\nid: 2\ndata: {\"n\":2,\"from\":\"r\"}\n\nevent: end\ndata: {}\n\n"},
		{"events, failing", "application/x-ndjson;q=0.4, text/*;q=0.5", `{"n":2,"fail":2}`, "text/event-stream",
			"id: 1\ndata: {\"n\":1,\"from\":\"r\"}\n\nevent: problem\ndata: " + problemSeven + "\n\n"},
		{"no event", "text/event-stream", `{}`, "text/event-stream", "event: end\ndata: {}\n\n"},
	} {
		r, err := http.NewRequest(http.MethodPost, srv.URL+"/count/r", strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if row.accept != "" {
			r.Header.Set("Accept", row.accept)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		have, err := io.ReadAll(response.Body)
		if err != nil || string(have) != row.want {
			t.Errorf("%s: want\n%s\nhave\n%s\n%v", row.name, row.want, have, err)
		}
		if have := response.Header.Get("Content-Type"); have != row.wantType {
			t.Errorf("%s: content type: want %q, have %q", row.name, row.wantType, have)
		}
		if row.wantType == status.ProblemType {
			continue
		}
		for key, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"} {
			if have := response.Header.Get(key); have != want {
				t.Errorf("%s: %s: want %q, have %q", row.name, key, want, have)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestWhatIsNotAcceptableIsRefused(t *testing.T) {
	t.Parallel()
	w := ask(streamMux(), http.MethodPost, "/count/r", `{"n":1}`, "Accept: application/json, text/event-stream;q=0")
	if w.Code != http.StatusNotAcceptable || !strings.Contains(w.Body.String(), "application/x-ndjson, application/jsonl, text/event-stream") {
		t.Errorf("want 406 and what is offered, have %d %s", w.Code, w.Body)
	}
}

func TestAStreamThatIsOnlyAWebSocketSaysSo(t *testing.T) {
	t.Parallel()
	w := ask(streamMux(), http.MethodGet, "/chat", "")
	if w.Code != http.StatusUpgradeRequired || w.Header().Get("Upgrade") != "websocket" || problem(t, w).Reason != "UPGRADE_REQUIRED" {
		t.Errorf("want 426, have %d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestHeadRunsNoStream(t *testing.T) {
	t.Parallel()
	s := func(context.Context, *countTo, func(*number) error) error { t.Error("the stream ran"); return nil }
	srv, _ := start(t, mount("/count/{room}", httptransport.NewStreamServer(countSpec, endpoint.FromServerStream(s))))
	r, err := http.NewRequest(http.MethodHead, srv.URL+"/count/r", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("want 200 and text/event-stream, have %d %v", response.StatusCode, response.Header)
	}
}

// Each message is to be read before the next is sent: nothing waits in a buffer.
func TestEveryMessageIsFlushed(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		for carrier, opts := range carriers(endpoint.ServerStream) {
			next := make(chan struct{}, 1)
			s := endpoint.FromServerStream(func(ctx context.Context, _ struct{}, send func(number) error) error {
				for i := range 3 {
					if err := send(number{N: i}); err != nil {
						return err
					}
					select {
					case <-next:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
			conn := serve(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			client := newStream[struct{}, number](t, countSpec, conn, "GET /", opts...)
			have := 0
			err := client(ctx, endpoint.Seq(struct{}{}), func(number) error { have++; next <- struct{}{}; return nil })
			cancel()
			if err != nil || have != 3 {
				t.Errorf("%s %s: want 3 messages, have %d, %v", protocol, carrier, have, err)
			}
		}
	}
}

func TestASilentStreamSendsItsHeaderAndHeartbeats(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(ctx context.Context, _ struct{}, _ func(*number) error) error {
		<-ctx.Done()
		return ctx.Err()
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s, httptransport.ServerHeartbeat(20*time.Millisecond))))
	for accept, want := range map[string]string{"application/x-ndjson": "1\r\n\n\r\n1\r\n\n\r\n", "text/event-stream": "3\r\n:\n\n\r\n3\r\n:\n\n\r\n"} {
		conn, r := rawConn(t, srv.URL, "GET / HTTP/1.1\nHost: x\nAccept: "+accept+"\n\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == "\r\n" {
				break
			}
		}
		have := make([]byte, len(want))
		if _, err := io.ReadFull(r, have); err != nil || string(have) != want {
			t.Errorf("%s: want %q, have %q, %v", accept, want, have, err)
		}
		_ = conn.Close()
	}
}

// An error before the first message has a status of its own; one after the header cannot.
func TestTheHeaderDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	fail := make(chan struct{})
	s := endpoint.FromServerStream(func(context.Context, struct{}, func(*number) error) error {
		<-fail
		return errShown
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	response, err := srv.Client().Get(srv.URL)
	close(fail)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("want 200, have %v, %v", response, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if want := `{"$error":` + problemSeven + "}\n"; err != nil || string(body) != want {
		t.Errorf("want %q, have %q, %v", want, body, err)
	}
}

func TestLastEventIDReachesTheRequest(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(_ context.Context, r *countTo, send func(*number) error) error {
		return send(&number{N: 8, From: r.Last, name: "tick"})
	})
	srv, _ := start(t, mount("/{room}", httptransport.NewStreamServer(countSpec, s)))
	client := newStream[*countTo, *number](t, countSpec, dial(t, srv.URL), "GET /{room}", httptransport.ClientSSE())
	for n, err := range client.Receive(t.Context(), &countTo{Path: "x", Last: "7"}) {
		if err != nil || n.From != "7" || n.id != "8" || n.name != "tick" {
			t.Errorf("want 8, tick after 7; have %+v, %v", n, err)
		}
	}
}

// bad is a message with the name or encoding that a test wants.
type bad struct {
	Error string `json:"$error,omitempty"`
	name  string
	id    string
}

func (b *bad) EventName() string { return b.name }
func (b *bad) EventID() string   { return b.id }

type unencodable struct {
	C chan int `json:"c"`
}

func TestAMessageThatCannotBeSentIsInternal(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		accept  string
		message bad
	}{
		{"application/x-ndjson", bad{Error: "x"}},
		{"text/event-stream", bad{name: "end"}},
		{"text/event-stream", bad{name: "problem"}},
		{"text/event-stream", bad{name: "error"}},
		{"text/event-stream", bad{name: "a\nb"}},
		{"text/event-stream", bad{id: "a\nb"}},
		{"text/event-stream", bad{id: "a\x00"}},
	} {
		s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(*bad) error) error {
			_ = send(&row.message)
			_ = send(new(bad)) // a stream that goes on is no success all the same
			return nil
		})
		w := ask(httptransport.NewStreamServer(countSpec, s, httptransport.ServerErrorHandler(func(context.Context, error) {})),
			http.MethodGet, "/", "", "Accept: "+row.accept)
		if w.Code != http.StatusInternalServerError || problem(t, w).ID == "" {
			t.Errorf("%+v: want 500, have %d %s", row.message, w.Code, w.Body)
		}
	}
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(any) error) error {
		return fmt.Errorf("never mind: %w", send(unencodable{}))
	})
	w := ask(httptransport.NewStreamServer(countSpec, s, httptransport.ServerErrorHandler(func(context.Context, error) {})), http.MethodGet, "/", "")
	if w.Code != http.StatusInternalServerError {
		t.Errorf("want 500 instead of a header without a message, have %d %s", w.Code, w.Body)
	}
}
