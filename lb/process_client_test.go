package lb_test

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// registry is an Instancer whose set the test changes.
type registry struct {
	mu      sync.Mutex
	set     []sd.Instance
	changed chan struct{}
}

func newRegistry(addresses ...string) *registry {
	r := &registry{changed: make(chan struct{})}
	for _, a := range addresses {
		r.add(a)
	}
	return r
}

func (r *registry) add(address string) {
	r.change(func(set []sd.Instance) []sd.Instance { return append(set, sd.Instance{Address: address}) })
}

func (r *registry) remove(address string) {
	r.change(func(set []sd.Instance) []sd.Instance {
		return slices.DeleteFunc(set, func(i sd.Instance) bool { return i.Address == address })
	})
}

func (r *registry) change(how func([]sd.Instance) []sd.Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set = sd.Normalize(how(slices.Clone(r.set)))
	close(r.changed)
	r.changed = make(chan struct{})
}

// Watch implements sd.Instancer.
func (r *registry) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		for ctx.Err() == nil {
			r.mu.Lock()
			set, changed := r.set, r.changed
			r.mu.Unlock()
			if !yield(set, nil) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}

// caller calls the service, with the default options of all that is between.
type caller struct {
	read, write func(ctx context.Context, text string) (string, error)
	tail        func(ctx context.Context, text string, each func()) error
	instances   func() []lb.InstanceStatus
	attempts    *atomic.Int64 // of unary calls
}

// calling is what callers differ in.
type calling struct {
	set  sd.Instancer
	pool []lb.PoolOption
	read []lb.EndpointOption
}

// medium is a transport between processes.
type medium struct {
	name  string
	start func(t testing.TB, env ...string) *testserver.Self
	call  func(t testing.TB, c calling) caller
}

// media starts what the transports need.
func media(t testing.TB) []medium {
	t.Helper()
	broker := testserver.StartNATS(t)
	start := func(name string, env ...string) func(t testing.TB, env ...string) *testserver.Self {
		return func(t testing.TB, more ...string) *testserver.Self {
			t.Helper()
			return testserver.StartSelf(t, name, slices.Concat(env, more, []string{instanceTransport + "=" + name})...)
		}
	}
	return []medium{
		{"http", start("http"), func(t testing.TB, c calling) caller {
			t.Helper()
			return callHTTP(t, c)
		}},
		{"http2", start("http"), func(t testing.TB, c calling) caller {
			t.Helper()
			return callHTTP(t, c, httptransport.DialH2C())
		}},
		{"grpc", start("grpc"), callGRPC},
		{"nats", start("nats", instanceNATS+"="+broker.URL), func(t testing.TB, c calling) caller {
			t.Helper()
			return callNATS(t, c, broker.URL)
		}},
	}
}

// client is how operations are called over a transport, with messages of type M around the text.
type client[C, M any] struct {
	dial   func(ctx context.Context, address string) (C, error)
	unary  func(spec endpoint.Spec, conn C) (endpoint.Endpoint[M, M], error)
	stream func(spec endpoint.Spec, conn C) (endpoint.Stream[M, M], error)
	wrap   func(string) M
	unwrap func(M) string
}

func (c client[C, M]) caller(t testing.TB, how calling) caller {
	t.Helper()
	p, err := lb.New("quarry", how.set, lb.ByAddress(c.dial), how.pool...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	attempts := new(atomic.Int64)
	unary := func(spec endpoint.Spec, opts ...lb.EndpointOption) func(ctx context.Context, text string) (string, error) {
		call, err := lb.Endpoint(spec, p, func(conn C) (endpoint.Endpoint[M, M], error) {
			do, err := c.unary(spec, conn)
			return func(ctx context.Context, m M) (M, error) {
				attempts.Add(1)
				return do(ctx, m)
			}, err
		}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context, text string) (string, error) {
			m, err := call(ctx, c.wrap(text))
			return c.unwrap(m), err
		}
	}
	stream, err := lb.Stream(watchSpec, p, func(conn C) (endpoint.Stream[M, M], error) { return c.stream(watchSpec, conn) })
	if err != nil {
		t.Fatal(err)
	}
	return caller{unary(readSpec, how.read...), unary(writeSpec), func(ctx context.Context, text string, each func()) error {
		for _, err := range stream.Receive(ctx, c.wrap(text)) {
			if err != nil {
				return err
			}
			each()
		}
		return nil
	}, p.Instances, attempts}
}

func callHTTP(t testing.TB, c calling, dialling ...httptransport.DialOption) caller {
	t.Helper()
	dial, err := httptransport.Dialer(dialling...)
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]string{readSpec.Method: "POST /read", writeSpec.Method: "POST /write", watchSpec.Method: "POST /watch"}
	return client[*httptransport.Conn, note]{
		dial: dial,
		unary: func(spec endpoint.Spec, conn *httptransport.Conn) (endpoint.Endpoint[note, note], error) {
			return httptransport.NewClient[note, note](spec, conn, routes[spec.Method])
		},
		stream: func(spec endpoint.Spec, conn *httptransport.Conn) (endpoint.Stream[note, note], error) {
			return httptransport.NewStreamClient[note, note](spec, conn, routes[spec.Method])
		},
		wrap: func(text string) note { return note{text} }, unwrap: func(n note) string { return n.Text },
	}.caller(t, c)
}

func callGRPC(t testing.TB, c calling) caller {
	t.Helper()
	dial, err := grpctransport.Dialer(grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	return client[*grpc.ClientConn, *text]{
		dial: dial,
		unary: func(spec endpoint.Spec, conn *grpc.ClientConn) (endpoint.Endpoint[*text, *text], error) {
			return grpctransport.NewClient[*text, *text](spec, conn)
		},
		stream: func(spec endpoint.Spec, conn *grpc.ClientConn) (endpoint.Stream[*text, *text], error) {
			return grpctransport.NewStreamClient[*text, *text](spec, conn)
		},
		wrap: wrapperspb.String, unwrap: (*text).GetValue,
	}.caller(t, c)
}

func callNATS(t testing.TB, c calling, url string) caller {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	shared, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shared.Close() })
	dial, err := natstransport.Dialer(shared)
	if err != nil {
		t.Fatal(err)
	}
	return client[*natstransport.Conn, note]{
		dial: dial,
		unary: func(spec endpoint.Spec, conn *natstransport.Conn) (endpoint.Endpoint[note, note], error) {
			return natstransport.NewClient[note, note](spec, conn)
		},
		stream: func(spec endpoint.Spec, conn *natstransport.Conn) (endpoint.Stream[note, note], error) {
			return natstransport.NewStreamClient[note, note](spec, conn)
		},
		wrap: func(text string) note { return note{text} }, unwrap: func(n note) string { return n.Text },
	}.caller(t, c)
}
