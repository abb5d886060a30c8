package grpcresolver_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/grpcresolver"
)

// patience is how long a test waits for what must happen, on a busy machine.
const patience = 20 * time.Second

// board is an Instancer of what it is told.
type board struct {
	watches atomic.Int32 // how many there were
	ended   atomic.Int32 // how many of them have ended

	mu      sync.Mutex
	told    []news
	changed chan struct{} // closed, and made anew, with each
}

type news struct {
	set []sd.Instance
	err error
}

func newBoard(set ...sd.Instance) *board {
	b := &board{changed: make(chan struct{})}
	b.tell(news{set: sd.Normalize(set)})
	return b
}

func (b *board) set(set ...sd.Instance) { b.tell(news{set: sd.Normalize(set)}) }
func (b *board) fail(err error)         { b.tell(news{err: err}) }

func (b *board) tell(n news) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, n)
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) news() ([]news, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told, b.changed
}

// Watch yields all that it is told from the last set on.
func (b *board) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		b.watches.Add(1)
		defer b.ended.Add(1)
		told, _ := b.news()
		n := len(told)
		for n > 0 && (n == len(told) || told[n].err != nil) {
			n--
		}
		for {
			told, changed := b.news()
			for ; n < len(told); n++ {
				if ctx.Err() != nil || !yield(told[n].set, told[n].err) {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// server is a gRPC server that says its address in answers.
type server struct {
	testpb.UnimplementedTestServiceServer
	net.Listener

	accepted atomic.Int32
}

// startServer starts a server that ends with the test.
func startServer(t *testing.T, address string) *server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: listener}
	g := grpc.NewServer()
	testpb.RegisterTestServiceServer(g, s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Serve(s)
	}()
	t.Cleanup(func() {
		g.Stop()
		<-done
	})
	return s
}

func startServers(t *testing.T, n int) []*server {
	t.Helper()
	all := make([]*server, n)
	for i := range all {
		all[i] = startServer(t, "127.0.0.1:0")
	}
	return all
}

func (s *server) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err == nil {
		s.accepted.Add(1)
	}
	return conn, err
}

func (s *server) UnaryCall(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{ServerId: s.Addr().String()}, nil
}

func (s *server) instance() sd.Instance { return sd.Instance{Address: s.Addr().String()} }

func instances(servers []*server) []sd.Instance {
	all := make([]sd.Instance, len(servers))
	for n, s := range servers {
		all[n] = s.instance()
	}
	return all
}

// conn is a connection to the service, and ends with the test.
type conn struct {
	*grpc.ClientConn

	t *testing.T
}

func dial(t *testing.T, find func(string) (sd.Instancer, error), target string, opts ...any) *conn {
	t.Helper()
	dialOptions := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	var builderOptions []grpcresolver.BuilderOption
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.DialOption:
			dialOptions = append(dialOptions, o)
		case grpcresolver.BuilderOption:
			builderOptions = append(builderOptions, o)
		default:
			t.Fatalf("want an option, have %T", o)
		}
	}
	builder, err := grpcresolver.NewBuilder("test", find, builderOptions...)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := grpc.NewClient(target, append(dialOptions, grpc.WithResolvers(builder))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return &conn{ClientConn: cc, t: t}
}

func (b *board) find(string) (sd.Instancer, error) { return b, nil }

// call returns which server has answered.
func (c *conn) call() (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	response, err := testpb.NewTestServiceClient(c).UnaryCall(ctx, &testpb.SimpleRequest{})
	return response.GetServerId(), err
}

// until calls until the servers that have answered so many calls in a row are these, and all of them.
func (c *conn) until(servers ...*server) {
	c.t.Helper()
	const each = 3
	want := map[string]bool{}
	for _, s := range servers {
		want[s.Addr().String()] = true
	}
	var have map[string]bool
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		have = map[string]bool{}
		for range each * len(servers) {
			id, err := c.call()
			if err != nil {
				last = err
				break
			}
			have[id] = true
		}
		if len(have) == len(want) && all(have, want) {
			return
		}
	}
	c.t.Fatalf("want calls to %v, have them to %v; the last error was %v", want, have, last)
}

func all(have, want map[string]bool) bool {
	for id := range have {
		if !want[id] {
			return false
		}
	}
	return true
}

// fails calls until a call fails with that text.
func (c *conn) fails(text string) {
	c.t.Helper()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, last = c.call(); last != nil && strings.Contains(last.Error(), text) {
			return
		}
	}
	c.t.Fatalf("want a call that fails with %q, have %v", text, last)
}

var errAway = errors.New("the registry is away")
