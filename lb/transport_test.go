package lb_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

type text = wrapperspb.StringValue

// served is a running instance of a service.
type served struct {
	address string
	kill    func() // cuts everything at once
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type note struct {
	Text string `json:"text"`
}

func serveHTTP(t testing.TB) served {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /read", httptransport.NewServer(readSpec, func(_ context.Context, n note) (note, error) { return n, nil }))
	mux.Handle("POST /watch", httptransport.NewStreamServer(watchSpec,
		endpoint.FromServerStream(func(_ context.Context, n note, send func(note) error) error { return errors.Join(send(n), send(n)) })))
	s, l := httptransport.NewHTTPServer(mux), listen(t)
	var work sync.WaitGroup
	work.Go(func() { _ = s.Serve(l) })
	kill := sync.OnceFunc(func() {
		_ = s.Close()
		work.Wait()
	})
	t.Cleanup(kill)
	return served{l.Addr().String(), kill}
}

func serveGRPC(t testing.TB) served {
	t.Helper()
	s, l := grpctransport.NewGRPCServer(), listen(t)
	grpctransport.Register(s,
		grpctransport.NewServer(readSpec, func(_ context.Context, n *text) (*text, error) { return n, nil }),
		grpctransport.NewStreamServer(watchSpec,
			endpoint.FromServerStream(func(_ context.Context, n *text, send func(*text) error) error { return errors.Join(send(n), send(n)) })))
	var work sync.WaitGroup
	work.Go(func() { _ = s.Serve(l) })
	kill := sync.OnceFunc(func() {
		s.Stop()
		work.Wait()
	})
	t.Cleanup(kill)
	return served{l.Addr().String(), kill}
}

// poolAt returns the pool of the instances, with the defaults, when all of them are connected.
func poolAt[C any](t testing.TB, instances []served, dial func(address string) (C, error)) *lb.Pool[C] {
	t.Helper()
	addresses := make([]string, len(instances))
	for i, s := range instances {
		addresses[i] = s.address
	}
	set, err := sd.NewStaticAddresses(addresses...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := lb.New("quarry", set, lb.ByAddress(func(_ context.Context, address string) (C, error) { return dial(address) }), lb.PoolWaitReady())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dialHTTP(address string) (*httptransport.Conn, error) {
	return httptransport.Dial("http://" + address)
}

func dialGRPC(address string) (*grpc.ClientConn, error) {
	return grpctransport.Dial("passthrough:///"+address, grpctransport.DialInsecure())
}

// operations are those of the service, over one transport.
type operations struct {
	name      string
	read      func(ctx context.Context, text string) (string, error)
	watch     func(ctx context.Context, text string) ([]string, error)
	instances []served
}

func overHTTP(t testing.TB) operations {
	t.Helper()
	instances := []served{serveHTTP(t), serveHTTP(t), serveHTTP(t)}
	p := poolAt(t, instances, dialHTTP)
	read, err := lb.Endpoint(readSpec, p, func(conn *httptransport.Conn) (endpoint.Endpoint[note, note], error) {
		return httptransport.NewClient[note, note](readSpec, conn, "POST /read")
	})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := lb.Stream(watchSpec, p, func(conn *httptransport.Conn) (endpoint.Stream[note, note], error) {
		return httptransport.NewStreamClient[note, note](watchSpec, conn, "POST /watch")
	})
	if err != nil {
		t.Fatal(err)
	}
	return operations{"http", func(ctx context.Context, text string) (string, error) {
		n, err := read(ctx, note{text})
		return n.Text, err
	}, func(ctx context.Context, text string) (all []string, err error) {
		for n, err := range watch.Receive(ctx, note{text}) {
			if err != nil {
				return all, err
			}
			all = append(all, n.Text)
		}
		return all, nil
	}, instances}
}

func overGRPC(t testing.TB) operations {
	t.Helper()
	instances := []served{serveGRPC(t), serveGRPC(t), serveGRPC(t)}
	p := poolAt(t, instances, dialGRPC)
	read, err := lb.Endpoint(readSpec, p, func(conn *grpc.ClientConn) (endpoint.Endpoint[*text, *text], error) {
		return grpctransport.NewClient[*text, *text](readSpec, conn)
	})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := lb.Stream(watchSpec, p, func(conn *grpc.ClientConn) (endpoint.Stream[*text, *text], error) {
		return grpctransport.NewStreamClient[*text, *text](watchSpec, conn)
	})
	if err != nil {
		t.Fatal(err)
	}
	return operations{"grpc", func(ctx context.Context, s string) (string, error) {
		n, err := read(ctx, wrapperspb.String(s))
		return n.GetValue(), err
	}, func(ctx context.Context, s string) (all []string, err error) {
		for n, err := range watch.Receive(ctx, wrapperspb.String(s)) {
			if err != nil {
				return all, err
			}
			all = append(all, n.GetValue())
		}
		return all, nil
	}, instances}
}

func TestCallersSeeNothingOfAnInstanceThatDies(t *testing.T) {
	t.Parallel()
	for _, over := range []func(testing.TB) operations{overHTTP, overGRPC} {
		o := over(t)
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			const callers, calls = 8, 200
			var made atomic.Int64
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for range calls {
						if made.Add(1) == callers*calls/4 {
							o.instances[0].kill()
						}
						if have, err := o.read(t.Context(), "stone"); have != "stone" || err != nil {
							t.Errorf("want the answer, have %q and %v", have, err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func TestStreamsOpenElsewhere(t *testing.T) {
	t.Parallel()
	for _, over := range []func(testing.TB) operations{overHTTP, overGRPC} {
		o := over(t)
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			want := []string{"stone", "stone"}
			for i := range 30 {
				if i == 10 {
					o.instances[0].kill()
				}
				if i == 20 {
					o.instances[1].kill()
				}
				if have, err := o.watch(t.Context(), "stone"); err != nil || !slices.Equal(want, have) {
					t.Errorf("stream %d: want %v, have %v and %v", i, want, have, err)
				}
			}
		})
	}
}

func TestAnOutageOverARealTransportIsOneThatWasNotSent(t *testing.T) {
	t.Parallel()
	for _, over := range []func(testing.TB) operations{overHTTP, overGRPC} {
		o := over(t)
		for _, s := range o.instances {
			s.kill()
		}
		_, err := o.read(t.Context(), "stone")
		all, ok := errors.AsType[*lb.RetryError](err)
		if !ok || len(all.Attempts) != lb.DefaultAttempts || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want %d attempts that were not sent, have %v", o.name, lb.DefaultAttempts, err)
		}
	}
}
