package transporttest_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// httpWindow is twice what the buffers of a TCP connection on one machine hold with the defaults of Linux.
const httpWindow = 8 << 20

func httpHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:        "http 1.1",
		Transport:   httptransport.Name,
		Open:        openHTTP(httpWay{}),
		Window:      httpWindow,
		Differences: append(socketDifferences(endpoint.Bidirectional), notFound()),
	}
}

func h2cHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:        "http 2",
		Transport:   httptransport.Name,
		Kinds:       []endpoint.Kind{endpoint.Unary, endpoint.ClientStream, endpoint.ServerStream},
		Open:        openHTTP(httpWay{dial: []httptransport.DialOption{httptransport.DialH2C()}}),
		Window:      httpWindow,
		Differences: []transporttest.Difference{notFound()},
	}
}

func sseHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:        "http, server-sent events",
		Transport:   httptransport.Name,
		Kinds:       []endpoint.Kind{endpoint.ServerStream},
		Open:        openHTTP(httpWay{stream: []httptransport.ClientOption{httptransport.ClientSSE()}}),
		Window:      httpWindow,
		Differences: []transporttest.Difference{notFound()},
	}
}

func webSocketHarness() transporttest.Harness {
	return transporttest.Harness{
		Name:        "http, WebSocket",
		Transport:   httptransport.Name,
		Kinds:       []endpoint.Kind{endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional},
		Open:        openHTTP(httpWay{socket: true, stream: []httptransport.ClientOption{httptransport.ClientWebSocket()}}),
		Window:      httpWindow,
		Differences: append(socketDifferences(), notFound()),
	}
}

func notFound() transporttest.Difference {
	return transporttest.Difference{
		Check: "NoServer", Have: "have not_found", Reason: "a path that nobody serves is 404, which means that something does not exist",
	}
}

// socketDifferences are those of operations that go over a WebSocket.
func socketDifferences(kinds ...endpoint.Kind) []transporttest.Difference {
	const early, none = "the header goes out as the WebSocket is opened, before the endpoint runs", "a WebSocket has no trailer"
	return []transporttest.Difference{
		{Check: "ResponseHeader", Kinds: kinds, Have: "is missing", Reason: early},
		{Check: "ErrorHeader", Kinds: kinds, Have: "is missing", Reason: early},
		{Check: "Trailer", Kinds: kinds, Have: "is missing", Reason: none},
		{Check: "ErrorTrailer", Kinds: kinds, Have: "is missing", Reason: none},
	}
}

// httpWay is a way of carrying calls over HTTP.
type httpWay struct {
	dial   []httptransport.DialOption
	stream []httptransport.ClientOption
	socket bool // streams of all kinds go over a WebSocket
}

// closeLimit is more than the 5 s for which a server waits for the end of a WebSocket.
const closeLimit = 30 * time.Second

func openHTTP(way httpWay) func(...transporttest.Operation) (transporttest.Link, error) {
	return func(operations ...transporttest.Operation) (transporttest.Link, error) {
		mux := http.NewServeMux()
		for _, o := range operations {
			if o.Stream != nil {
				mux.Handle("/"+o.Spec.Operation(), httptransport.NewStreamServer(o.Spec, o.Stream, httpServer(o.Hooks)...))
			} else {
				mux.Handle("/"+o.Spec.Operation(), httptransport.NewServer(o.Spec, o.Endpoint, httpServer(o.Hooks)...))
			}
		}
		listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		conn, err := httptransport.Dial("http://"+listener.Addr().String(), way.dial...)
		if err != nil {
			return nil, err
		}
		l := &httpLink{way: way, conn: conn, server: httptransport.NewHTTPServer(mux), served: make(chan error, 1)}
		l.server.ErrorLog = log.New(io.Discard, "", 0)
		go func() { l.served <- l.server.Serve(listener) }()
		return l, nil
	}
}

type httpLink struct {
	way    httpWay
	conn   *httptransport.Conn
	server *http.Server
	served chan error
}

func (l *httpLink) Unary(
	spec endpoint.Spec, hooks transporttest.ClientHooks,
) (endpoint.Endpoint[transporttest.Message, transporttest.Message], error) {
	return httptransport.NewClient[transporttest.Message, transporttest.Message](spec, l.conn, "POST /"+spec.Operation(), httpClient(hooks)...)
}

func (l *httpLink) Stream(
	spec endpoint.Spec, hooks transporttest.ClientHooks,
) (endpoint.Stream[transporttest.Message, transporttest.Message], error) {
	method := "POST /"
	if l.way.socket || spec.Kind == endpoint.Bidirectional {
		method = "GET /"
	}
	opts := append(httpClient(hooks), l.way.stream...)
	return httptransport.NewStreamClient[transporttest.Message, transporttest.Message](spec, l.conn, method+spec.Operation(), opts...)
}

func (l *httpLink) Shutdown(ctx context.Context) error {
	return httptransport.Shutdown(ctx, l.server, 0)
}

func (l *httpLink) Close() error {
	err := l.conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- l.Shutdown(ctx) }()
	for ended := false; !ended; { // a server waits for connections that have become idle since, 1 s and 5 s
		select {
		case downErr := <-down:
			err, ended = errors.Join(err, downErr), true
		case <-time.After(5 * time.Millisecond):
			_ = l.conn.Close()
		}
	}
	served := <-l.served
	l.served <- served
	if !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func httpServer(hooks transporttest.ServerHooks) []httptransport.ServerOption {
	opts := []httptransport.ServerOption{
		httptransport.ServerCodecs(transporttest.Codec(json.New())), httptransport.ServerMaxRequest(transporttest.MaxMessage),
	}
	for _, mw := range hooks.Middleware {
		opts = append(opts, httptransport.ServerMiddleware(mw))
	}
	for _, hook := range hooks.Before {
		opts = append(opts, httptransport.ServerBefore(func(ctx context.Context, _ *http.Request) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.After {
		opts = append(opts, httptransport.ServerAfter(func(ctx context.Context, _ http.ResponseWriter) { hook(ctx) }))
	}
	for _, hook := range hooks.ErrorHandler {
		opts = append(opts, httptransport.ServerErrorHandler(hook))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, httptransport.ServerFinalizer(func(ctx context.Context, _ *http.Request, o httptransport.Outcome) {
			hook(ctx, transporttest.Outcome{Err: o.Err, RequestSize: o.RequestSize, ResponseSize: o.ResponseSize})
		}))
	}
	return opts
}

func httpClient(hooks transporttest.ClientHooks) []httptransport.ClientOption {
	opts := []httptransport.ClientOption{
		httptransport.ClientCodecs(transporttest.Codec(json.New())), httptransport.ClientMaxResponse(transporttest.MaxMessage),
	}
	for _, hook := range hooks.Before {
		opts = append(opts, httptransport.ClientBefore(func(ctx context.Context, _ *http.Request) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.After {
		opts = append(opts, httptransport.ClientAfter(func(ctx context.Context, _ *http.Response) context.Context { return hook(ctx) }))
	}
	for _, hook := range hooks.Finalizer {
		opts = append(opts, httptransport.ClientFinalizer(func(ctx context.Context, o httptransport.Outcome) {
			hook(ctx, transporttest.Outcome{Err: o.Err, RequestSize: o.RequestSize, ResponseSize: o.ResponseSize})
		}))
	}
	return opts
}
