package httptransport_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/codec/proto"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// closing is a body that knows whether it was closed.
type closing struct {
	io.Reader

	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestAPanicOfAHookClosesTheResponse(t *testing.T) {
	t.Parallel()
	after := httptransport.ClientAfter(func(context.Context, *http.Response) context.Context { panic("a hook") })
	decoder := httptransport.ClientDecoder(func(context.Context, *http.Response) (number, error) { panic("a decoder") })
	for name, row := range map[string]struct {
		spec endpoint.Spec
		opt  httptransport.ClientOption
	}{
		"server stream": {countSpec, after}, "client stream": {sumSpec, after}, "decoder": {sumSpec, decoder},
	} {
		body := &closing{Reader: strings.NewReader("{}\n")}
		answer := roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Body: body, Request: r}, nil
		})
		conn := dial(t, "http://x", httptransport.DialClient(&http.Client{Transport: answer}))
		client := newStream[struct{}, number](t, row.spec, conn, "GET /", row.opt)
		wantPanic(t, "a ", func() { _ = client(t.Context(), endpoint.Seq(struct{}{}), nil) })
		if !body.closed {
			t.Errorf("%s: the body of the response was not closed", name)
		}
	}
}

func TestAPanicOfAHookClosesTheWebSocket(t *testing.T) {
	t.Parallel()
	began, over := make(chan struct{}), make(chan error, 1)
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(chatSpec, watch(began, over, false))))
	client := newStream[struct{}, number](t, chatSpec, dial(t, srv.URL), "GET /",
		httptransport.ClientAfter(func(context.Context, *http.Response) context.Context { panic("a hook") }))
	wantPanic(t, "a hook", func() { _ = client(t.Context(), endpoint.Seq(struct{}{}), nil) })
	_ = soon(t, "the end of the stream", over)
}

func TestARequestThatEncodesToNothingIsSent(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(_ context.Context, r *wrapperspb.Int32Value, send func(*wrapperspb.Int32Value) error) error {
		return send(r)
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s, httptransport.ServerCodecs(proto.New(), proto.JSON()))))
	client := newStream[*wrapperspb.Int32Value, *wrapperspb.Int32Value](t, countSpec, dial(t, srv.URL), "GET /",
		httptransport.ClientWebSocket(), httptransport.ClientCodecs(proto.New(), proto.JSON()))
	for _, want := range []int32{1, 0} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		messages := 0
		err := client(ctx, endpoint.Seq(wrapperspb.Int32(want)), func(have *wrapperspb.Int32Value) error {
			if messages++; have.GetValue() != want {
				t.Errorf("want %d, have %d", want, have.GetValue())
			}
			return nil
		})
		cancel()
		if err != nil || messages != 1 {
			t.Errorf("%d: want one message, have %d, %v", want, messages, err)
		}
	}
}

//nolint:paralleltest // it measures the memory of the process
func TestLongNamesOfEventsAreNotKept(t *testing.T) {
	const count, size = 64, 1 << 20
	r, w := io.Pipe()
	go func() {
		name := strings.Repeat("n", size-100)
		for i := range count {
			_, _ = fmt.Fprintf(w, "event: %d%s\ndata: 1\n\n", i, name)
		}
		_ = w.Close()
	}()
	next := httptransport.Events(r, size)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range count {
		if _, _, _, err := next(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if have := int64(after.HeapAlloc) - int64(before.HeapAlloc); have > 8*size {
		t.Errorf("want no more than some events in memory, have %d bytes", have)
	}
	runtime.KeepAlive(next)
}

// unnamed is an event without an id.
type unnamed struct{}

func (unnamed) EventID() string { return "" }

func TestAnEventWithoutAnIDKeepsTheLastOne(t *testing.T) {
	t.Parallel()
	have, err := httptransport.AppendEvent(nil, unnamed{})
	if err != nil || string(have) != "data: {}\n\n" {
		t.Errorf("want no id, have %q, %v", have, err)
	}
}

// The WriteTimeout of an http.Server is not for streams, and so is not for the errors that they end with.
func TestAClientThatDoesNotReadAnErrorIsCutOff(t *testing.T) {
	t.Parallel()
	s := endpoint.FromServerStream(func(context.Context, *pair, func(number) error) error { return errShown })
	srv := &http.Server{
		Handler:           httptransport.NewStreamServer(countSpec, s, httptransport.ServerWriteTimeout(100*time.Millisecond)),
		ReadHeaderTimeout: time.Minute,
	}
	closed := make(chan struct{}, 1)
	srv.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	l := newPipes()
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	conn := l.dial()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	soon(t, "the end of the connection", closed)
	_ = conn.Close()
	_ = srv.Close()
	<-served
}

func TestFinalizersOfStreamsRunBeforeTheContextEnds(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-None: 1", "Ashlar-Timeout: 10S"} {
		var have error
		h := streamMux(httptransport.ServerFinalizer(func(ctx context.Context, _ *http.Request, _ httptransport.Outcome) { have = ctx.Err() }))
		ask(h, http.MethodGet, "/count/r", `{"n":1}`, header)
		if have != nil {
			t.Errorf("%s: the finalizer's context: %v", header, have)
		}
	}
}
