package httptransport_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// socket opens a WebSocket as a program without Ashlar does.
func socket(t *testing.T, url string, header http.Header) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// talk sends frames, and reads until the end.
func talk(t *testing.T, conn *websocket.Conn, frames ...string) (have []string, closed websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, frame := range frames {
		if err := conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	for {
		typ, data, err := conn.Read(ctx)
		if errors.As(err, &closed) {
			return have, closed
		}
		if err != nil || typ != websocket.MessageText {
			t.Fatalf("want a text frame or a close, have %v, %v", typ, err)
		}
		have = append(have, string(data))
	}
}

func TestTheWebSocketProtocolIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, streamMux(httptransport.ServerMaxRequest(1000)))
	long := strings.Repeat("x", 1000)
	for _, row := range []struct {
		name, path string
		frames     []string
		want       []string // prefixes
		closed     websocket.CloseError
	}{
		{"bidirectional", "/chat", []string{`{"n":1}`, `{"n":2}`, `{"$end":true}`}, []string{`{"n":2}`, `{"n":4}`}, websocket.CloseError{Code: 1000}},
		{"an error", "/chat", []string{`{"n":-1}`}, []string{`{"$error":` + problemSeven + `}`}, websocket.CloseError{Code: 4009, Reason: "not at <7>"}},
		{"too large", "/chat", []string{`{"n":1}`, `{"n":2,"from":"` + long + `"}`}, []string{`{"n":2}`, `{"$error":{"title":"Request Entity Too Large","status":413`},
			websocket.CloseError{Code: 1009, Reason: "message 2 is larger than 1000 bytes"}},
		{"malformed", "/chat", []string{`{"n":`}, []string{`{"$error":{"title":"Bad Request","status":400`}, websocket.CloseError{Code: 4003}},
		{"server stream", "/count/r", []string{`{"n":1}`}, []string{`{"n":1,"from":"r"}`}, websocket.CloseError{Code: 1000}},
		{"no request", "/count/r", []string{`{"$end":true}`}, []string{`{"$error":`}, websocket.CloseError{Code: 4003}},
		{"client stream", "/sum", []string{`{"n":1}`, `{"n":2}`, `{"$end": true}`}, []string{`{"sum":3}`}, websocket.CloseError{Code: 1000}},
		{"a client that breaks off", "/sum", []string{`{"n":1}`, `{"$error":{}}`}, []string{`{"$error":`}, websocket.CloseError{Code: 4001}},
	} {
		have, closed := talk(t, socket(t, srv.URL+row.path, nil), row.frames...)
		if len(have) != len(row.want) {
			t.Errorf("%s: want %q, have %q", row.name, row.want, have)
			continue
		}
		for i, want := range row.want {
			if !strings.HasPrefix(have[i], want) {
				t.Errorf("%s: want %q, have %q", row.name, want, have[i])
			}
		}
		if row.closed.Reason == "" {
			closed.Reason = ""
		}
		if closed != row.closed {
			t.Errorf("%s: want %v, have %v", row.name, row.closed, closed)
		}
	}
}

func TestABinaryFrameIsNoText(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, streamMux())
	conn := socket(t, srv.URL+"/chat", nil)
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	if have, closed := talk(t, conn); len(have) != 1 || closed.Code != 4003 || !strings.HasPrefix(closed.Reason, "message 1: it is in a") {
		t.Errorf("want an error and 4003, have %q, %v", have, closed)
	}
}

// reversed is an encoding that is no JSON.
type reversed struct{ codec.Codec }

func (reversed) ContentTypes() []string { return []string{"application/x-reversed"} }

func (r reversed) Append(dst []byte, v any) ([]byte, error) {
	data, err := r.Codec.Append(nil, v)
	return append(dst, backwards(data)...), err
}

func (r reversed) Decode(data []byte, v any) error { return r.Codec.Decode(backwards(data), v) }

func backwards(data []byte) []byte {
	back := make([]byte, len(data))
	for i, b := range data {
		back[len(data)-1-i] = b
	}
	return back
}

func TestOtherCodecsUseBinaryFrames(t *testing.T) {
	t.Parallel()
	other := reversed{json.New()}
	srv, _ := start(t, streamMux(jsonAnd(other)))
	s := newStream[number, number](t, chatSpec, dial(t, srv.URL), "GET /chat", httptransport.ClientCodecs(other, json.New()))
	have, err := s.Unary(t.Context(), number{N: 4})
	if err != nil || have.N != 8 {
		t.Errorf("want 8, have %v, %v", have, err)
	}
	wantShown(t, "binary", s(t.Context(), endpoint.Seq(number{N: -4}), nil))
	conn := socket(t, srv.URL+"/chat", http.Header{"Accept": {"application/x-reversed"}})
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	if typ, data, err := conn.Read(t.Context()); err != nil || typ != websocket.MessageBinary || string(data) != `}2:"n"{` {
		t.Errorf("want a binary frame, have %v, %q, %v", typ, data, err)
	}
}

func TestOnlyPagesOfTheSameOriginOpenWebSockets(t *testing.T) {
	t.Parallel()
	plain, _ := start(t, streamMux())
	open, _ := start(t, streamMux(httptransport.ServerOrigins("http://shop.example"), httptransport.ServerOrigins("https://*.pages.example")))
	all, _ := start(t, streamMux(httptransport.ServerOrigins("*")))
	for _, row := range []struct {
		url  string
		want int
		from []string
	}{
		{plain.URL, http.StatusSwitchingProtocols, nil},
		{plain.URL, http.StatusSwitchingProtocols, []string{plain.URL}},
		{plain.URL, http.StatusForbidden, []string{"https://shop.example"}},
		{plain.URL, http.StatusForbidden, []string{"null"}},
		{plain.URL, http.StatusForbidden, []string{""}},
		{plain.URL, http.StatusForbidden, []string{plain.URL, "https://shop.example"}},
		{plain.URL, http.StatusForbidden, []string{"http://evil@" + strings.TrimPrefix(plain.URL, "http://")}},
		{open.URL, http.StatusSwitchingProtocols, []string{"http://shop.example"}},
		{open.URL, http.StatusForbidden, []string{"https://shop.example"}},
		{open.URL, http.StatusSwitchingProtocols, []string{"https://a.pages.example"}},
		{open.URL, http.StatusForbidden, []string{"http://a.pages.example"}},
		{open.URL, http.StatusForbidden, []string{"https://pages.example"}},
		{open.URL, http.StatusForbidden, []string{"https://evil-pages.example"}},
		{open.URL, http.StatusForbidden, []string{"https://a.pages.example.evil"}},
		{all.URL, http.StatusSwitchingProtocols, []string{"https://anybody.example"}},
		{all.URL, http.StatusForbidden, []string{"https://anybody.example", "https://anybody.example"}},
	} {
		header := http.Header{}
		if row.from != nil {
			header["Origin"] = row.from
		}
		conn, response, err := websocket.Dial(t.Context(), row.url+"/chat", &websocket.DialOptions{HTTPHeader: header})
		if response == nil || response.StatusCode != row.want {
			t.Errorf("%q: want %d, have %v, %v", row.from, row.want, response, err)
		}
		if conn != nil {
			_ = conn.CloseNow()
			continue
		}
		if response == nil {
			continue
		}
		body, _ := io.ReadAll(response.Body) // what the library keeps of it
		if response.Header.Get("Content-Type") != status.ProblemType || !strings.Contains(string(body), httptransport.ReasonOrigin) ||
			strings.Contains(string(body), ".example") {
			t.Errorf("%q: want a problem with the reason, and none of what is compared, have %v %s", row.from, response.Header, body)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestABadHandshakeIsAProblem(t *testing.T) {
	t.Parallel()
	w := ask(streamMux(), http.MethodGet, "/chat", "", "Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Version: 12")
	if w.Code != http.StatusBadRequest || w.Header().Get("Sec-WebSocket-Version") != "13" || problem(t, w).Code != status.InvalidArgument {
		t.Errorf("want 400, have %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// errLong does not fit into the kilobyte that the WebSocket library keeps of a refusal.
var errLong = status.New(status.NotFound, strings.Repeat("far ", 1000))

func TestARefusalOfAnyLengthReachesTheClient(t *testing.T) {
	t.Parallel()
	refuse := func(endpoint.Spec, endpoint.Handler) endpoint.Handler {
		return func(context.Context, any) (any, error) { return nil, errLong }
	}
	srv, _ := start(t, streamMux(httptransport.ServerMiddleware(refuse)))
	err := newStream[number, number](t, chatSpec, dial(t, srv.URL), "GET /chat")(t.Context(), endpoint.Seq(number{}), nil)
	if have := status.As(err); have == nil || have.Message != errLong.Message {
		t.Errorf("want %v, have %v", errLong, err)
	}
}

// silent is a stream that waits for its end.
func silent(over chan<- error) endpoint.Stream[struct{}, number] {
	return func(ctx context.Context, _ iter.Seq2[struct{}, error], _ func(number) error) error {
		<-ctx.Done()
		over <- context.Cause(ctx)
		return ctx.Err()
	}
}

func TestAPeerThatDoesNotAnswerPingsIsCutOff(t *testing.T) {
	t.Parallel()
	over := make(chan error, 1)
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(chatSpec, silent(over), httptransport.ServerPing(50*time.Millisecond))))
	_, r := rawConn(t, srv.URL, "GET / HTTP/1.1\nHost: x\n"+upgrade+"\n")
	skipHeader(t, r)
	if err := status.As(soon(t, "the end", over)); err == nil || err.Message != "the client does not answer" {
		t.Errorf("want that the client does not answer, have %v", err)
	}
	frame, err := io.ReadAll(r)
	if err != nil && len(frame) == 0 || len(frame) < 2 || frame[0] != 0x89 {
		t.Errorf("want a ping, have %x, %v", frame, err)
	}
}

// A client that is busy with a message answers no ping, since it does not read. Neither does one whose messages the server does not read.
func TestAPeerThatIsBusyIsNotDead(t *testing.T) {
	t.Parallel()
	const ping = 150 * time.Millisecond
	read := make(chan struct{})
	s := func(ctx context.Context, in iter.Seq2[text, error], out func(number) error) error {
		if err := out(number{N: 1}); err != nil {
			return err
		}
		select {
		case <-read:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n := 0
		for _, err := range in {
			if err != nil {
				return err
			}
			n++
		}
		return out(number{N: n})
	}
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(chatSpec, s, httptransport.ServerPing(ping))))
	client := newStream[text, number](t, chatSpec, dial(t, srv.URL), "GET /")
	const messages = 100
	large := text{strings.Repeat("x", 64<<10)}
	var have []int
	err := client(t.Context(), func(yield func(text, error) bool) {
		for range messages {
			if !yield(large, nil) {
				return
			}
		}
	}, func(n number) error {
		if have = append(have, n.N); len(have) == 1 {
			<-time.After(10 * ping)
			close(read)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wantNumbers(t, "busy", []int{1, messages}, have)
}

func TestAClosedWebSocketSaysWhy(t *testing.T) {
	t.Parallel()
	for code, want := range map[websocket.StatusCode]status.Code{
		4005: status.NotFound, 4016: status.Unauthenticated, 4017: status.Unavailable, 4000: status.Unavailable, 1001: status.Unavailable,
		1009: status.ResourceExhausted, 1008: status.PermissionDenied, 1002: status.Internal, 1011: status.Internal, 1005: status.Unavailable,
	} {
		srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if conn, err := websocket.Accept(w, r, nil); err == nil {
				_ = conn.Close(code, "because")
			}
		}))
		err := newStream[number, number](t, chatSpec, dial(t, srv.URL), "GET /")(t.Context(), endpoint.Seq[number](), nil)
		if have := status.CodeOf(err); have != want || code < 4017 && code > 4000 && status.As(err).Message != "because" {
			t.Errorf("%d: want %v, have %v", code, want, err)
		}
	}
}

// What is bound to the path is taken from the request that opened the stream, for every message.
func TestMessagesAreBoundToTheRequestThatOpenedTheStream(t *testing.T) {
	t.Parallel()
	s := func(_ context.Context, in iter.Seq2[*countTo, error], out func(number) error) error {
		for r, err := range in {
			if err != nil {
				return err
			}
			if err := out(number{N: r.N, From: r.Path + r.Last}); err != nil {
				return err
			}
		}
		return nil
	}
	srv, _ := start(t, mount("/{room}", httptransport.NewStreamServer(chatSpec, s)))
	have, closed := talk(t, socket(t, srv.URL+"/7", http.Header{"Last-Event-Id": {"x"}}), `{"n":1}`, `{"n":2,"room":"8"}`, `{"$end":true}`)
	if len(have) != 2 || have[0] != `{"n":1,"from":"7x"}` || have[1] != `{"n":2,"from":"7x"}` || closed.Code != 1000 {
		t.Errorf("want both in room 7, have %q, %v", have, closed)
	}
}
