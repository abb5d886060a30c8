package ratelimit_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/inproc"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

type text = wrapperspb.StringValue

type note struct {
	Text string `json:"text"`
}

// over is a way to call a service with two operations that the middleware is around: within, or around decoding too.
type over struct {
	name        string
	read, watch func(ctx context.Context) error
}

func readSpec() endpoint.Spec { return endpoint.Spec{Service: "quarry", Method: "Read"} }

func watchSpec() endpoint.Spec {
	return endpoint.Spec{Service: "quarry", Method: "Watch", Kind: endpoint.ServerStream}
}

func read[T any](_ context.Context, n T) (T, error) { return n, nil }

func watch[T any]() endpoint.Stream[T, T] {
	return endpoint.FromServerStream(func(_ context.Context, n T, send func(T) error) error { return errors.Join(send(n), send(n)) })
}

// calls returns both as calls of the messages, of which nothing matters but the error.
func calls[T any](name string, message T, e endpoint.Endpoint[T, T], s endpoint.Stream[T, T]) over {
	return over{
		name: name,
		read: func(ctx context.Context) error { _, err := e(ctx, message); return err },
		watch: func(ctx context.Context) error {
			return s(ctx, func(yield func(T, error) bool) { yield(message, nil) }, func(T) error { return nil })
		},
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	return must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
}

func overHTTP(t *testing.T, gates []endpoint.Middleware, around bool) over {
	t.Helper()
	mux := http.NewServeMux()
	if around {
		mux.Handle("POST /read", httptransport.NewServer(readSpec(), read[note], httptransport.ServerMiddleware(gates...)))
		mux.Handle("POST /watch", httptransport.NewStreamServer(watchSpec(), watch[note](), httptransport.ServerMiddleware(gates...)))
	} else {
		mux.Handle("POST /read", httptransport.NewServer(readSpec(), endpoint.New(readSpec(), read[note], gates...)))
		mux.Handle("POST /watch", httptransport.NewStreamServer(watchSpec(), endpoint.NewStream(watchSpec(), watch[note](), gates...)))
	}
	server, listener := httptransport.NewHTTPServer(mux), listen(t)
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(httptransport.Dial("http://" + listener.Addr().String()))
	t.Cleanup(func() {
		_ = errors.Join(conn.Close(), server.Close())
		work.Wait()
	})
	return calls("HTTP", note{"granite"}, must(httptransport.NewClient[note, note](readSpec().Client(), conn, "POST /read")),
		must(httptransport.NewStreamClient[note, note](watchSpec().Client(), conn, "POST /watch")))
}

func overGRPC(t *testing.T, gates []endpoint.Middleware, around bool) over {
	t.Helper()
	server, listener := grpctransport.NewGRPCServer(), listen(t)
	if around {
		grpctransport.Register(server, grpctransport.NewServer(readSpec(), read[*text], grpctransport.ServerMiddleware(gates...)),
			grpctransport.NewStreamServer(watchSpec(), watch[*text](), grpctransport.ServerMiddleware(gates...)))
	} else {
		grpctransport.Register(server, grpctransport.NewServer(readSpec(), endpoint.New(readSpec(), read[*text], gates...)),
			grpctransport.NewStreamServer(watchSpec(), endpoint.NewStream(watchSpec(), watch[*text](), gates...)))
	}
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(grpctransport.Dial("passthrough:///"+listener.Addr().String(), grpctransport.DialInsecure()))
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		work.Wait()
	})
	return calls("gRPC", &text{Value: "granite"}, must(grpctransport.NewClient[*text, *text](readSpec().Client(), conn)),
		must(grpctransport.NewStreamClient[*text, *text](watchSpec().Client(), conn)))
}

func overNATS(t *testing.T, gates []endpoint.Middleware, around bool) over {
	t.Helper()
	url := testserver.StartNATS(t).URL
	here, there := must(nats.Connect(url)), must(nats.Connect(url))
	t.Cleanup(func() {
		here.Close()
		there.Close()
	})
	var servers []*natstransport.Server
	if around {
		servers = append(servers, natstransport.NewServer(readSpec(), read[note], natstransport.ServerMiddleware(gates...)),
			natstransport.NewStreamServer(watchSpec(), watch[note](), natstransport.ServerMiddleware(gates...)))
	} else {
		servers = append(servers, natstransport.NewServer(readSpec(), endpoint.New(readSpec(), read[note], gates...)),
			natstransport.NewStreamServer(watchSpec(), endpoint.NewStream(watchSpec(), watch[note](), gates...)))
	}
	service := must(natstransport.Serve(there, "quarry", "1.0.0", servers))
	conn := must(natstransport.NewConn(here))
	t.Cleanup(func() {
		_ = conn.Close()
		_ = service.Shutdown(context.Background())
	})
	return calls("NATS", note{"granite"}, must(natstransport.NewClient[note, note](readSpec().Client(), conn)),
		must(natstransport.NewStreamClient[note, note](watchSpec().Client(), conn)))
}

func overInproc(_ *testing.T, gates []endpoint.Middleware, around bool) over {
	var mux inproc.Mux
	if around {
		mux.Handle(inproc.NewServer(readSpec(), read[note], inproc.ServerMiddleware(gates...)),
			inproc.NewStreamServer(watchSpec(), watch[note](), inproc.ServerMiddleware(gates...)))
	} else {
		mux.Handle(inproc.NewServer(readSpec(), endpoint.New(readSpec(), read[note], gates...)),
			inproc.NewStreamServer(watchSpec(), endpoint.NewStream(watchSpec(), watch[note](), gates...)))
	}
	return calls("inproc", note{"granite"}, must(inproc.NewClient[note, note](readSpec().Client(), &mux)),
		must(inproc.NewStreamClient[note, note](watchSpec().Client(), &mux)))
}

// TestCallersAreToldOverEveryTransport has two limits, of which the second refuses the second call. Callers have the fields of both, on
// success and on refusal, and know when to come back.
func TestCallersAreToldOverEveryTransport(t *testing.T) {
	t.Parallel()
	for _, open := range []func(*testing.T, []endpoint.Middleware, bool) over{overHTTP, overGRPC, overNATS, overInproc} {
		for _, around := range []bool{false, true} {
			gates := []endpoint.Middleware{
				must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(100))), ratelimit.Policy("all"))).Middleware,
				must(ratelimit.NewGate(must(ratelimit.New(ratelimit.Limit{Events: 2, Period: time.Hour, Burst: 1})), ratelimit.Policy("each"),
					ratelimit.PerOperation())).Middleware,
			}
			o := open(t, gates, around)
			for kind, call := range map[string]func(context.Context) error{"a unary call": o.read, "a stream": o.watch} {
				told(t, o.name+", "+kind, call)
			}
		}
	}
}

func told(t *testing.T, name string, call func(context.Context) error) {
	t.Helper()
	const policies = `"all";q=100;w=3600, "each";q=2;w=3600;ashlar-burst=1`
	for _, allowed := range []bool{true, false} {
		ctx, observer := transport.Observe(t.Context())
		err := call(ctx)
		have := fieldsOf(observer.Info().Response)
		all, each, _ := strings.Cut(have.limit, ", ")
		if have.policy != policies || !strings.HasPrefix(all, `"all";r=9`) || !strings.HasPrefix(each, `"each";r=0;t=1`) {
			t.Errorf("%s, allowed %t: want %s and what is left, have %+v (%v)", name, allowed, policies, have, err)
		}
		if allowed {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		e := status.As(err)
		if e == nil || e.Code != status.ResourceExhausted || e.Reason != ratelimit.ReasonLimited || e.RetryAfter > 30*time.Minute || e.RetryAfter < 29*time.Minute {
			t.Errorf("%s: want a refusal for half an hour, have %+v", name, e)
		}
		if !strings.Contains(name, "gRPC") && !strings.Contains(name, "inproc") && !errors.Is(err, transport.ErrNotBegun) {
			t.Errorf("%s: want it known that nothing was begun, have %v", name, err)
		}
	}
}

// TestRetryAfterOverHTTP as a client that is not Ashlar's reads it.
func TestRetryAfterOverHTTP(t *testing.T) {
	t.Parallel()
	gate := must(ratelimit.NewGate(must(ratelimit.NewQuota(1, ratelimit.Every(1000*time.Hour))), ratelimit.By(ratelimit.KeyPeer())))
	server := httptransport.NewServer(readSpec(), endpoint.New(readSpec(), read[note], gate.Middleware))
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(`{"text":"granite"}`))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("want %d, have %d %s", want, answer.Code, answer.Body)
		}
		if want, have := want != http.StatusOK, answer.Header().Get("Retry-After") != ""; want != have {
			t.Errorf("want a Retry-After %t, have %v", want, answer.Header())
		}
	}
}
