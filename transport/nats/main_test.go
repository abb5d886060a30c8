package natstransport_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/transport/nats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	unarySpec  = endpoint.Spec{Service: "numbers", Method: "Double"}
	streamSpec = endpoint.Spec{Service: "numbers", Method: "Echo"}
)

type number struct{ N int }

func double(_ context.Context, request *number) (*number, error) {
	return &number{2 * request.N}, nil
}

type (
	streamOf[T any] = iter.Seq2[T, error]
	inSeq           = streamOf[*number]
)

func echo(_ context.Context, in inSeq, out func(*number) error) error {
	for message, err := range in {
		if err != nil {
			return err
		}
		if err := out(message); err != nil {
			return err
		}
	}
	return nil
}

// limit is how long tests wait for what should come at once, on a busy machine.
const limit = 30 * time.Second

// broker is a NATS server, to which tests connect.
type broker struct {
	*testserver.NATS

	t testing.TB
}

func newBroker(t testing.TB, config ...string) *broker {
	t.Helper()
	return &broker{testserver.StartNATS(t, config...), t}
}

// connect returns a connection that ends with the test. It reconnects quickly.
func (b *broker) connect(opts ...nats.Option) *nats.Conn {
	b.t.Helper()
	opts = append([]nats.Option{
		nats.ReconnectWait(10 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.MaxReconnects(-1),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}, opts...)
	nc, err := nats.Connect(b.URL, opts...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(nc.Close)
	return nc
}

// serve puts servers on a connection of their own until the test ends.
func (b *broker) serve(servers ...*natstransport.Server) *natstransport.Service {
	b.t.Helper()
	return b.serveOn(b.connect(), servers)
}

func (b *broker) serveOn(nc *nats.Conn, servers []*natstransport.Server, opts ...natstransport.ServiceOption) *natstransport.Service {
	b.t.Helper()
	opts = append([]natstransport.ServiceOption{natstransport.ServiceGrace(0)}, opts...)
	service, err := natstransport.Serve(nc, "numbers", "1.2.3", servers, opts...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := service.Shutdown(ctx); err != nil {
			b.t.Error(err)
		}
	})
	return service
}

// conn returns a Conn on a connection of its own, until the test ends.
func (b *broker) conn(opts ...nats.Option) *natstransport.Conn {
	b.t.Helper()
	return b.connOn(b.connect(opts...))
}

func (b *broker) connOn(nc *nats.Conn) *natstransport.Conn {
	b.t.Helper()
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// client returns a client of the unary operation.
func client[Req, Resp any](t testing.TB, conn *natstransport.Conn, opts ...natstransport.ClientOption) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	call, err := natstransport.NewClient[Req, Resp](unarySpec, conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// unary connects a client to a server of e.
func unary[Req, Resp any](
	t testing.TB, e endpoint.Endpoint[Req, Resp], server []natstransport.ServerOption, opts ...natstransport.ClientOption,
) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, e, server...))
	return client[Req, Resp](t, b.conn(), opts...)
}

// streamClient returns a client of the stream.
func streamClient[In, Out any](t testing.TB, conn *natstransport.Conn, opts ...natstransport.ClientOption) endpoint.Stream[In, Out] {
	t.Helper()
	call, err := natstransport.NewStreamClient[In, Out](streamSpec, conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// stream connects a client to a server of s.
func stream[In, Out any](
	t testing.TB, s endpoint.Stream[In, Out], server []natstransport.ServerOption, opts ...natstransport.ClientOption,
) endpoint.Stream[In, Out] {
	t.Helper()
	b := newBroker(t)
	b.serve(natstransport.NewStreamServer(streamSpec, s, server...))
	return streamClient[In, Out](t, b.conn(), opts...)
}

// deadline returns a context for what should end by itself.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// wait waits for the channel.
func wait[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case v = <-c:
	case <-timer.C:
		t.Fatalf("%s: nothing after %v", what, limit)
	}
	return v
}

// eventually waits until the condition holds, which nothing announces.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("%s: not after %v", what, limit)
		}
	}
}

// notes is what hooks wrote, in order.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, fmt.Sprintf(format, args...))
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	texts := n.texts
	n.texts = nil
	return texts
}
