package httptransport_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// soon fails the test when it would wait for c for ever.
func soon[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: nothing happened within 30 s", what)
		panic("not reached")
	}
}

// noticed fails the test unless c yields at once, by what the connection says. On an idle machine that is a millisecond, and the promise is a
// second; the limit here is for a busy one, and still below 15 s, when the first heartbeat or ping would find out.
func noticed[T any](t *testing.T, what string, begin time.Time, c <-chan T) T {
	t.Helper()
	const limit = 5 * time.Second
	v := soon(t, what, c)
	if took := time.Since(begin); took > limit {
		t.Errorf("%s: want it within %v, have it after %v", what, limit, took)
	}
	return v
}

// watch is a stream that waits for the end of its context, and tells why it came.
func watch(began chan<- struct{}, over chan<- error, read bool) endpoint.Stream[struct{}, number] {
	return func(ctx context.Context, in iter.Seq2[struct{}, error], out func(number) error) error {
		if read {
			for range in {
				break
			}
		}
		close(began)
		<-ctx.Done()
		err := out(number{})
		if err == nil {
			err = errors.New("out went on after the end")
		}
		over <- err
		return err
	}
}

func TestAClientThatGoesAwayEndsTheStream(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
			opts := carriers(spec.Kind)
			if spec.Kind == endpoint.Bidirectional {
				opts = map[string][]httptransport.ClientOption{"WebSocket": nil}
			}
			for carrier, opts := range opts {
				name := protocol + " " + spec.Method + " " + carrier
				began, over := make(chan struct{}), make(chan error, 1)
				outcomes := make(chan httptransport.Outcome, 1)
				conn := serve(t, mount("/", httptransport.NewStreamServer(spec, watch(began, over, true),
					httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcomes <- o }))))
				client := newStream[struct{}, number](t, spec, conn, "GET /", opts...)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() {
					ended <- client(ctx, func(yield func(struct{}, error) bool) {
						if yield(struct{}{}, nil) {
							<-ctx.Done()
						}
					}, func(number) error { return nil })
				}()
				soon(t, name, began)
				begin := time.Now()
				cancel()
				if err := noticed(t, name+", client", begin, ended); !errors.Is(err, context.Canceled) || status.As(err) == nil {
					t.Errorf("%s, client: want Canceled, have %v", name, err)
				}
				if err := noticed(t, name+", server", begin, over); status.CodeOf(err) != status.Canceled {
					t.Errorf("%s, server: want Canceled, have %v", name, err)
				}
				if o := soon(t, name+", finalizer", outcomes); status.CodeOf(o.Err) != status.Canceled {
					t.Errorf("%s, finalizer: want Canceled, have %+v", name, o)
				}
			}
		}
	}
}

func TestTheDeadlineOfTheClientEndsTheStream(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // in which a busy machine has set up the connection
	for protocol, serve := range protocols {
		for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
			t.Run(protocol+" "+spec.Method, func(t *testing.T) {
				t.Parallel()
				began, over := make(chan struct{}), make(chan error, 1)
				conn := serve(t, mount("/", httptransport.NewStreamServer(spec, watch(began, over, false))))
				client := newStream[struct{}, number](t, spec, conn, "GET /")
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				err := client(ctx, endpoint.Seq(struct{}{}), func(number) error { return nil })
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("client: want DeadlineExceeded, have %v", err)
				}
				if code := status.CodeOf(soon(t, protocol, over)); code != status.DeadlineExceeded && code != status.Canceled {
					t.Errorf("server: want the end of the context, have %v", code)
				}
			})
		}
	}
}

// A deadline that only the header tells of reaches the client as the stream's error.
func TestADeadlineIsToldInTheStream(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(ctx context.Context, _ struct{}, send func(number) error) error {
		if err := send(number{N: 1}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	_, r := rawConn(t, srv.URL, "GET / HTTP/1.0\nAshlar-Timeout: 50m\n\n")
	all, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(all), `{"n":1}`+"\n"+`{"$error":{`) || !strings.Contains(string(all), "deadline_exceeded") {
		t.Errorf("want one message and the error, have %s, %v", all, err)
	}
}

// cutting serves as much of a response as a test wants, and cuts the connection then.
func cutting(contentType, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

func TestAStreamThatBreaksOffIsUnavailable(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		for contentType, text := range map[string]string{
			"application/x-ndjson": "{\"n\":1}\n{\"n\":",
			"text/event-stream":    "data: {\"n\":1}\n\ndata: {\"n\":",
		} {
			client := newStream[struct{}, number](t, countSpec, serve(t, cutting(contentType, text)), "GET /")
			have, err := numbers(client.Receive(t.Context(), struct{}{}))
			wantNumbers(t, protocol, []int{1}, have)
			if status.CodeOf(err) != status.Unavailable {
				t.Errorf("%s %s: want Unavailable, have %v", protocol, contentType, err)
			}
		}
	}
	ended := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"n\":1}\n\n")
	})
	srv, _ := start(t, ended)
	client := newStream[struct{}, number](t, countSpec, dial(t, srv.URL), "GET /", httptransport.ClientSSE())
	if _, err := numbers(client.Receive(t.Context(), struct{}{})); status.CodeOf(err) != status.Unavailable {
		t.Errorf("events without their end: want Unavailable, have %v", err)
	}
	cut := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err == nil {
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"n":1}`))
			_ = conn.CloseNow()
		}
	})
	srv, _ = start(t, cut)
	client = newStream[struct{}, number](t, chatSpec, dial(t, srv.URL), "GET /")
	if _, err := numbers(client.Receive(t.Context(), struct{}{})); status.CodeOf(err) != status.Unavailable {
		t.Errorf("WebSocket: want Unavailable, have %v", err)
	}
}

func TestAnErrorOfOutStopsTheStream(t *testing.T) {
	t.Parallel()
	for protocol, serve := range protocols {
		for carrier, opts := range carriers(endpoint.ServerStream) {
			over := make(chan error, 1)
			s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(number) error) error {
				for {
					if err := send(number{}); err != nil {
						over <- err
						return err
					}
				}
			})
			client := newStream[struct{}, number](t, countSpec, serve(t, mount("/", httptransport.NewStreamServer(countSpec, s))), "GET /", opts...)
			enough := errors.New("enough")
			if err := client(t.Context(), endpoint.Seq(struct{}{}), func(number) error { return enough }); err != enough { //nolint:errorlint // it is that one
				t.Errorf("%s %s: want %v, have %v", protocol, carrier, enough, err)
			}
			if err := soon(t, protocol+" "+carrier, over); status.CodeOf(err) != status.Canceled {
				t.Errorf("%s %s: want Canceled, have %v", protocol, carrier, err)
			}
		}
	}
}

func TestWhatInEndsWithIsReturned(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, streamMux(httptransport.ServerErrorHandler(func(context.Context, error) {})))
	conn := dial(t, srv.URL)
	wrong := errors.New("the disk is full")
	for _, row := range []struct {
		name string
		in   iter.Seq2[number, error]
		is   func(error) bool
	}{
		{"an error", func(yield func(number, error) bool) { _ = yield(number{N: 1}, nil) && yield(number{}, wrong) },
			func(err error) bool { return errors.Is(err, wrong) && status.As(err) == nil }},
		{"a panic", func(yield func(number, error) bool) { yield(number{N: 1}, nil); panic("no more") },
			func(err error) bool {
				p, ok := errors.AsType[*endpoint.PanicError](err)
				return ok && p.Value == "no more" && status.CodeOf(err) == status.Internal
			}},
	} {
		for name, s := range map[string]endpoint.Stream[number, number]{
			"upload":    newStream[number, number](t, sumSpec, conn, "POST /sum"),
			"WebSocket": newStream[number, number](t, chatSpec, conn, "GET /chat"),
		} {
			if err := s(t.Context(), row.in, func(number) error { return nil }); !row.is(err) {
				t.Errorf("%s, %s: have %v", name, row.name, err)
			}
		}
	}
	odd := newStream[chan int, number](t, sumSpec, conn, "POST /sum")
	if err := odd(t.Context(), endpoint.Seq(make(chan int)), nil); status.CodeOf(err) != status.Internal {
		t.Errorf("what cannot be encoded: want Internal, have %v", err)
	}
}

// The call does not wait for an in that waits for something else; it ends when it yields again.
func TestTheCallReturnsThoughInDoesNot(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, streamMux())
	conn := dial(t, srv.URL)
	for name, s := range map[string]endpoint.Stream[number, number]{
		"upload":    newStream[number, number](t, sumSpec, conn, "POST /sum"),
		"WebSocket": newStream[number, number](t, chatSpec, conn, "GET /chat"),
	} {
		release, ended := make(chan struct{}), make(chan bool, 1)
		err := s(t.Context(), func(yield func(number, error) bool) {
			yield(number{N: -1}, nil)
			<-release
			ended <- yield(number{}, nil)
		}, func(number) error { return nil })
		wantShown(t, name, err)
		close(release)
		if soon(t, name, ended) {
			t.Errorf("%s: in was asked for more after the end", name)
		}
	}
}

func TestTimeoutsOfTheServerDoNotCutStreams(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
		s := func(ctx context.Context, in iter.Seq2[struct{}, error], out func(number) error) error {
			for _, err := range in {
				if err != nil {
					return err
				}
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(4 * limit):
			}
			return out(number{N: 1})
		}
		srv := httptest.NewUnstartedServer(mount("/", httptransport.NewStreamServer(spec, s)))
		srv.Config.ReadTimeout, srv.Config.WriteTimeout = limit, limit
		srv.Start()
		t.Cleanup(srv.Close)
		method := "GET"
		if spec.Kind == endpoint.ClientStream {
			method = "POST" // net/http holds a GET back until the first byte of its body comes
		}
		client := newStream[struct{}, number](t, spec, dial(t, srv.URL), method+" /")
		have := 0
		err := client(t.Context(), func(yield func(struct{}, error) bool) {
			if spec.Kind != endpoint.ServerStream {
				<-time.After(4 * limit)
			}
			yield(struct{}{}, nil)
		}, func(n number) error { have += n.N; return nil })
		if err != nil || have != 1 {
			t.Errorf("%s: want one message, have %d, %v", spec.Method, have, err)
		}
	}
}

func TestShutdownDrainsStreams(t *testing.T) {
	t.Parallel()
	for _, spec := range []endpoint.Spec{countSpec, sumSpec, chatSpec} {
		began, over := make(chan struct{}), make(chan error, 1)
		srv := httptransport.NewHTTPServer(mount("/", httptransport.NewStreamServer(spec, watch(began, over, false))))
		ts := httptest.NewUnstartedServer(nil)
		go func() { _ = srv.Serve(ts.Listener) }()
		client := newStream[struct{}, number](t, spec, dial(t, "http://"+ts.Listener.Addr().String()), "GET /")
		ended := make(chan error, 1)
		go func() { ended <- client(t.Context(), endpoint.Seq(struct{}{}), func(number) error { return nil }) }()
		soon(t, spec.Method, began)
		if err := httptransport.Shutdown(t.Context(), srv, 10*time.Millisecond); err != nil {
			t.Errorf("%s: shutdown: %v", spec.Method, err)
		}
		if err := soon(t, spec.Method, over); status.CodeOf(err) != status.Unavailable {
			t.Errorf("%s, server: want Unavailable, have %v", spec.Method, err)
		} else if have := status.As(err).Message; have != "the server is shutting down" { // of no message, and without a number
			t.Errorf("%s, server: have the message %q", spec.Method, have)
		}
		err := status.As(soon(t, spec.Method, ended))
		if err == nil || err.Code != status.Unavailable || err.Reason != "SHUTTING_DOWN" {
			t.Errorf("%s, client: want Unavailable, have %v", spec.Method, err)
		}
	}
}

// A request with a body that nobody reads hides the end of the connection from net/http, unless the body is read.
func TestABodyThatIsNotBoundDoesNotHideTheEnd(t *testing.T) {
	t.Parallel()
	began, over := make(chan struct{}), make(chan error, 1)
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, watch(began, over, true))))
	conn, _ := rawConn(t, srv.URL, "POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nabcde")
	soon(t, "the stream", began)
	begin := time.Now()
	_ = conn.Close()
	if err := noticed(t, "the end", begin, over); status.CodeOf(err) != status.Canceled {
		t.Errorf("want Canceled, have %v", err)
	}
}

func skipHeader(t *testing.T, r *bufio.Reader) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return
		}
	}
}
