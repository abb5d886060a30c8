package deadline_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/deadline"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/inproc"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// ask is an operation that says how much time somebody has, below 0 for no deadline.
type ask func(ctx context.Context) (left time.Duration, err error)

// hop serves f on a running server, with a middleware around decoding, and returns the client, with a middleware around it.
type hop func(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask

type left struct{ Left int64 }

func (f ask) plain(ctx context.Context, _ left) (left, error) {
	d, err := f(ctx)
	return left{int64(d)}, err
}

func (f ask) message(ctx context.Context, _ *wrapperspb.Int64Value) (*wrapperspb.Int64Value, error) {
	d, err := f(ctx)
	return wrapperspb.Int64(int64(d)), err
}

func (f ask) decorated(spec endpoint.Spec, e endpoint.Endpoint[left, left], client endpoint.Middleware) ask {
	e = endpoint.New(spec.Client(), e, client)
	return func(ctx context.Context) (time.Duration, error) {
		answer, err := e(ctx, left{})
		return time.Duration(answer.Left), err
	}
}

func specOf(method string) endpoint.Spec { return endpoint.Spec{Service: "orders", Method: method} }

func listen(t *testing.T) net.Listener {
	t.Helper()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serveHTTP returns the address of a server.
func serveHTTP(t *testing.T, spec endpoint.Spec, f ask, server endpoint.Middleware) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /ask", httptransport.NewServer(spec, f.plain, httptransport.ServerMiddleware(server)))
	s, l := httptransport.NewHTTPServer(mux), listen(t)
	var work sync.WaitGroup
	work.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		work.Wait()
	})
	return l.Addr().String()
}

func overHTTP(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask {
	t.Helper()
	spec := specOf(method)
	conn, err := httptransport.Dial("http://" + serveHTTP(t, spec, f, server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e, err := httptransport.NewClient[left, left](spec.Client(), conn, "POST /ask")
	if err != nil {
		t.Fatal(err)
	}
	return f.decorated(spec, e, client)
}

// overPool is over HTTP with a pool of two instances.
func overPool(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask {
	t.Helper()
	spec := specOf(method)
	set, err := sd.NewStaticAddresses(serveHTTP(t, spec, f, server), serveHTTP(t, spec, f, server))
	if err != nil {
		t.Fatal(err)
	}
	dial, err := httptransport.Dialer()
	if err != nil {
		t.Fatal(err)
	}
	pool, err := lb.New("orders", set, lb.ByAddress(dial), lb.PoolWaitReady())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	e, err := lb.Endpoint(spec.Client(), pool, func(conn *httptransport.Conn) (endpoint.Endpoint[left, left], error) {
		return httptransport.NewClient[left, left](spec.Client(), conn, "POST /ask")
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.decorated(spec, e, client)
}

func overGRPC(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask {
	t.Helper()
	spec := specOf(method)
	s, l := grpctransport.NewGRPCServer(), listen(t)
	grpctransport.Register(s, grpctransport.NewServer(spec, f.message, grpctransport.ServerMiddleware(server)))
	var work sync.WaitGroup
	work.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		s.Stop()
		work.Wait()
	})
	conn, err := grpctransport.Dial("passthrough:///"+l.Addr().String(), grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e, err := grpctransport.NewClient[*wrapperspb.Int64Value, *wrapperspb.Int64Value](spec.Client(), conn)
	if err != nil {
		t.Fatal(err)
	}
	e = endpoint.New(spec.Client(), e, client)
	return func(ctx context.Context) (time.Duration, error) {
		answer, err := e(ctx, wrapperspb.Int64(0))
		return time.Duration(answer.GetValue()), err
	}
}

func overNATS(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask {
	t.Helper()
	spec := specOf(method)
	nc, err := nats.Connect(testserver.StartNATS(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	service, err := natstransport.Serve(nc, "orders", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(spec, f.plain, natstransport.ServerMiddleware(server)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	e, err := natstransport.NewClient[left, left](spec.Client(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return f.decorated(spec, e, client)
}

func inProcess(t *testing.T, method string, f ask, server, client endpoint.Middleware) ask {
	t.Helper()
	spec := specOf(method)
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, f.plain, inproc.ServerMiddleware(server)))
	e, err := inproc.NewClient[left, left](spec.Client(), &mux)
	if err != nil {
		t.Fatal(err)
	}
	return f.decorated(spec, e, client)
}

func hops() map[string]hop {
	return map[string]hop{"http": overHTTP, "lb over http": overPool, "grpc": overGRPC, "nats": overNATS, "inproc": inProcess}
}

func untouched(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler { return next }

// remaining says how much time its own context has.
func remaining(ctx context.Context) (time.Duration, error) {
	d, ok := ctx.Deadline()
	if !ok {
		return -1, nil
	}
	return time.Until(d), nil
}

// A client calls a server, which calls another, which says how much time it has.
func TestTheTimeThatIsLeftTravels(t *testing.T) {
	t.Parallel()
	const has, keep, inexact = time.Hour, 10 * time.Minute, 30 * time.Second
	a, err := deadline.NewAllowance(keep)
	if err != nil {
		t.Fatal(err)
	}
	for name, over := range hops() {
		for _, row := range []struct {
			what   string
			client endpoint.Middleware
			want   time.Duration
		}{{"without an allowance", untouched, has}, {"with an allowance", a.Middleware, has - 2*keep}} {
			t.Run(name+" "+row.what, func(t *testing.T) {
				t.Parallel()
				back := over(t, "Back", remaining, untouched, row.client)
				front := over(t, "Front", back, untouched, row.client)
				ctx, cancel := context.WithTimeout(t.Context(), has)
				defer cancel()
				if have, err := front(ctx); err != nil || have > row.want || have < row.want-inexact {
					t.Errorf("want %v and a little less, have %v, %v", row.want, have, err)
				}
				if have, err := front(t.Context()); err != nil || have >= 0 {
					t.Errorf("want no deadline without one, have %v, %v", have, err)
				}
			})
		}
	}
}

func TestAServerRefusesBeforeItDecodes(t *testing.T) {
	t.Parallel()
	const least, tooLittle = time.Second, 800 * time.Millisecond // which is plenty for the refusal to come back
	for name, over := range hops() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, err := deadline.NewGuard(deadline.GuardSamples(1), deadline.GuardWindow(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			calls := 0
			slow := func(ctx context.Context) (time.Duration, error) {
				calls++
				ctx, cancel := context.WithTimeout(ctx, least)
				defer cancel()
				<-ctx.Done()
				return 0, nil
			}
			call := over(t, "Slow", slow, g.Middleware, untouched)
			if _, err := call(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), tooLittle)
			defer cancel()
			_, err = call(ctx)
			if e := status.As(err); e == nil || e.Code != status.DeadlineExceeded || e.Reason != deadline.ReasonUnreachable {
				t.Errorf("want the server to refuse it, have %v", err)
			}
			if calls != 1 || g.Status()[0].Refused != 1 {
				t.Errorf("want one call and one refusal, have %d and %+v", calls, g.Status())
			}
			if want, have := name != "grpc" && name != "inproc", transport.NotBegun(err); want != have {
				t.Errorf("not begun: want %t, have %t", want, have)
			}
		})
	}
}

// What an endpoint calls inside of its process may be refused when the endpoint has begun: its client must not be told the opposite.
func TestOnlyTheCallThatIsServedWasNotBegun(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{"Place": "true", "Reserve": ""} {
		g, err := deadline.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		inner := specOf(method)
		inner.Kind = endpoint.Unary
		header := transport.HeaderMap{}
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Transport: "nats", Operation: "orders/Place", Response: header})
		ctx, cancel := context.WithDeadline(ctx, time.Now())
		defer cancel()
		if _, err := g.Middleware(inner, nothing)(ctx, nil); status.As(err) == nil || header.Get(transport.NotBegunHeader) != want {
			t.Errorf("%s: want a refusal and %q, have %v and %q", method, want, err, header)
		}
	}
}
