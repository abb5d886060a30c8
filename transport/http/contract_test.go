package httptransport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// hangUp serves one request on its first connection, and hangs up on the second; other connections it serves well. It counts requests.
func hangUp(t *testing.T) (url string, requests *atomic.Int64) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int64)
	serve := func(conn net.Conn, first bool) {
		defer conn.Close()
		in := bufio.NewReader(conn)
		for n := 1; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			requests.Add(1)
			if _, sent := r.Header["Idempotency-Key"]; sent {
				t.Error("the key was sent")
			}
			if first && n == 2 {
				return
			}
			_, _ = fmt.Fprint(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for first := true; ; first = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, first)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String(), requests
}

func TestOnlyAnIdempotentRequestIsSentAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		idempotent bool
		code       status.Code
		requests   int64
	}{{false, status.Unavailable, 2}, {true, status.OK, 3}} {
		url, requests := hangUp(t)
		conn, err := httptransport.Dial(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		spec := endpoint.Spec{Service: "orders", Method: "Put", Idempotent: row.idempotent}
		put, err := httptransport.NewClient[int, struct{}](spec, conn, "POST /orders")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := put(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := put(t.Context(), 2); status.CodeOf(err) != row.code || requests.Load() != row.requests {
			t.Errorf("idempotent %t: want %v after %d requests, have %v after %d", row.idempotent, row.code, row.requests, err, requests.Load())
		}
	}
}

func TestNilFunctionsAreRefused(t *testing.T) {
	t.Parallel()
	serve := func(context.Context, int) (int, error) { return 0, nil }
	spec := endpoint.Spec{Service: "orders", Method: "Put"}
	for option, opt := range map[string]httptransport.ServerOption{
		"ServerMiddleware": httptransport.ServerMiddleware(nil), "ServerBefore": httptransport.ServerBefore(nil),
		"ServerAfter": httptransport.ServerAfter(nil), "ServerFinalizer": httptransport.ServerFinalizer(nil),
		"ServerErrorHandler": httptransport.ServerErrorHandler(nil), "ServerDecoder": httptransport.ServerDecoder[int](nil),
		"ServerEncoder": httptransport.ServerEncoder[int](nil), "the list of options": nil,
	} {
		wantPanic(t, option+": function 0 is nil", func() { httptransport.NewServer(spec, serve, opt) })
	}
	conn := dial(t, "http://127.0.0.1:1")
	for option, opt := range map[string]httptransport.ClientOption{
		"ClientBefore": httptransport.ClientBefore(nil), "ClientAfter": httptransport.ClientAfter(nil),
		"ClientFinalizer": httptransport.ClientFinalizer(nil), "ClientEncoder": httptransport.ClientEncoder[int](nil),
		"ClientDecoder": httptransport.ClientDecoder[int](nil), "ClientErrorDecoder": httptransport.ClientErrorDecoder(nil),
		"the list of options": nil,
	} {
		_, err := httptransport.NewClient[int, int](spec, conn, "POST /orders", opt)
		if want := "httptransport: client of orders/Put: " + option + ": function 0 is nil"; err == nil || err.Error() != want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestDialClientExcludesTheOtherOptions(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]httptransport.DialOption{"h2c": httptransport.DialH2C(), "nil": nil} {
		if _, err := httptransport.Dial("http://127.0.0.1:1", httptransport.DialClient(&http.Client{}), opt); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

func TestOptionsForStreamsAreRefusedElsewhere(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "orders", Method: "Put"}
	for option, opt := range map[string]httptransport.ServerOption{
		"ServerHeartbeat": httptransport.ServerHeartbeat(0), "ServerWriteTimeout": httptransport.ServerWriteTimeout(1),
		"ServerPing": httptransport.ServerPing(0), "ServerOrigins": httptransport.ServerOrigins("*"),
	} {
		wantPanic(t, option+" is for streams", func() {
			httptransport.NewServer(spec, func(context.Context, int) (int, error) { return 0, nil }, opt)
		})
	}
	for _, opt := range []httptransport.ClientOption{httptransport.ClientSSE(), httptransport.ClientWebSocket()} {
		_, err := httptransport.NewClient[int, int](spec, dial(t, "http://127.0.0.1:1"), "POST /orders", opt)
		if err == nil || !strings.Contains(err.Error(), "are for streams") {
			t.Errorf("want a refusal, have %v", err)
		}
	}
	spec.Kind = endpoint.ServerStream
	_, err := httptransport.NewClient[int, int](spec, dial(t, "http://127.0.0.1:1"), "POST /orders")
	if err == nil || !strings.Contains(err.Error(), "use NewStreamClient") {
		t.Errorf("want a refusal, have %v", err)
	}
}

func TestFinalizersHaveALivingContext(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	finalizer := httptransport.ServerFinalizer(func(ctx context.Context, _ *http.Request, _ httptransport.Outcome) { ended <- ctx.Err() })
	spec := endpoint.Spec{Service: "orders", Method: "Put"}
	h := httptransport.NewServer(spec, func(context.Context, int) (int, error) { return 0, nil }, finalizer)
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("1"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Ashlar-Timeout", "1H")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if err := <-ended; err != nil {
		t.Errorf("the context of a call with a deadline: %v", err)
	}
}

func TestTheHeaderOfAnErrorIsAdded(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "orders", Method: "Put"}
	h := httptransport.NewServer(spec, func(ctx context.Context, _ struct{}) (struct{}, error) {
		transport.FromContext(ctx).Response.Set("Set-Cookie", "a=1")
		return struct{}{}, &httptransport.Error{
			Status: http.StatusConflict, Header: http.Header{"Cache-Control": {"no-store"}, "set-cookie": {"b=2"}}, Err: status.New(status.Aborted, "x"),
		}
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", http.NoBody))
	header := w.Result().Header
	if header.Get("Cache-Control") != "no-store" || len(header.Values("Set-Cookie")) != 2 {
		t.Errorf("have %v", header)
	}
}

func TestADefaultHoldsForClientsToo(t *testing.T) {
	t.Parallel()
	type list struct {
		Limit int `query:"limit" default:"20"`
	}
	spec := endpoint.Spec{Service: "orders", Method: "List"}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httptransport.NewServer(spec, func(_ context.Context, l list) (int, error) { return l.Limit, nil }))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	call := newClient[list, int](t, dial(t, srv.URL), "GET /orders")
	for given, want := range map[int]int{0: 20, 7: 7} {
		if have, err := call(t.Context(), list{Limit: given}); have != want || err != nil {
			t.Errorf("%d: want %d, have %d, %v", given, want, have, err)
		}
	}
}

func TestAPatternThatLacksAWildcardIsTheServersFault(t *testing.T) {
	t.Parallel()
	type byID struct {
		ID string `path:"id"`
	}
	spec := endpoint.Spec{Service: "orders", Method: "Get"}
	var seen error
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{order}", httptransport.NewServer(spec, func(context.Context, byID) (struct{}, error) { return struct{}{}, nil },
		httptransport.ServerErrorHandler(func(_ context.Context, err error) { seen = err })))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/orders/7", http.NoBody))
	if w.Code != http.StatusInternalServerError || !strings.Contains(seen.Error(), `the pattern "GET /orders/{order}" has no wildcard {id}`) {
		t.Errorf("have %d and %v", w.Code, seen)
	}
}

func TestAGetHasNoBody(t *testing.T) {
	t.Parallel()
	type find struct{ Text string }
	spec := endpoint.Spec{Service: "orders", Method: "Find"}
	_, err := httptransport.NewClient[*find, int](spec, dial(t, "http://127.0.0.1:1"), "GET /orders")
	if err == nil || !strings.Contains(err.Error(), "has fields for a body, which a GET does not have") {
		t.Errorf("want a refusal, have %v", err)
	}
}

func TestADefaultIsForWhatIsBound(t *testing.T) {
	t.Parallel()
	type find struct {
		Limit int `default:"20" json:"limit"`
	}
	wantPanic(t, "field Limit has a default, but is not taken from", func() {
		httptransport.NewServer(testSpec, func(context.Context, find) (int, error) { return 0, nil })
	})
}
